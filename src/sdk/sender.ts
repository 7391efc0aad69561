import { CrossCommError } from '../protocol/index.js';
import type { ClientSettings } from './client.options.js';
import { abortedError, type CallOptions } from './deadline.js';
import { frameSizeProblem } from './frame-size.js';
import type { WrittenFrame } from './frame-writer.js';
import { Outbox, type OutboxEntry } from './outbox.js';
import { PendingCall } from './pending-call.js';
import type { ReconnectingConnection } from './reconnecting-connection.js';
import type { SentMessage } from './send-message.js';
import type { Session } from './session.js';

/** The way out: to the live connection, or into the outbox until there is one. */
export class Sender {
  readonly #settings: ClientSettings;
  readonly #connection: ReconnectingConnection;
  readonly #outbox: Outbox;

  constructor(settings: ClientSettings, connection: ReconnectingConnection) {
    this.#settings = settings;
    this.#connection = connection;
    this.#outbox = new Outbox({ maxMessages: settings.queueMaxMessages, maxBytes: settings.queueMaxBytes });
  }

  get bufferedBytes(): number {
    return this.#outbox.bytes + (this.#connection.online?.bufferedBytes ?? 0);
  }

  /**
   * Sends or queues.
   * @throws CrossCommError see `sendMessage`
   */
  send({ msgId, frame }: WrittenFrame, options: CallOptions): SentMessage | Promise<SentMessage> {
    if (options.signal?.aborted) throw abortedError(options.signal);
    const session = this.#connection.online;
    if (session) {
      const problem = sizeProblem(frame, session);
      if (problem) throw problem;
      const { bufferedBytes } = session;
      if (bufferedBytes !== 0 && bufferedBytes + frame.length > this.#settings.queueMaxBytes)
        throw new CrossCommError('CC_QUEUE_FULL', `${bufferedBytes} bytes are waiting.`);
      if (session.send(frame)) return { msgId };
    }
    this.assertOpen();
    return this.#enqueue({ msgId, frame }, options);
  }

  /** @throws CrossCommError unless the client is connected or on its way to be */
  assertOpen(): void {
    const { status } = this.#connection;
    if (status.state === 'idle') throw new CrossCommError('CC_NOT_CONNECTED');
    if (status.state === 'closed') throw status.reason ?? new CrossCommError('CC_CLOSED');
  }

  /** Sends what waited. What this hub would not take fails. */
  flush(session: Session): void {
    this.#outbox.flush((entry) => {
      const problem = sizeProblem(entry.frame, session);
      if (!problem) return session.send(entry.frame);
      if (this.#outbox.remove(entry)) entry.failed(problem);
      return true;
    });
  }

  /** The client is closed: nothing that waits will be sent. */
  closed(reason: CrossCommError): void {
    this.#outbox.failAll(reason);
  }

  #enqueue({ msgId, frame }: WrittenFrame, options: CallOptions): Promise<SentMessage> {
    const call = new PendingCall<SentMessage>(() => this.#outbox.remove(entry));
    const entry: OutboxEntry = { frame, sent: () => call.resolve({ msgId }), failed: (error) => call.reject(error) };
    this.#outbox.add(entry);
    return call.wait(options);
  }
}

function sizeProblem(frame: string, { welcome }: Session): CrossCommError | undefined {
  return frameSizeProblem(frame, welcome?.limits.maxMessageBytes);
}
