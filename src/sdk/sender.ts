import { CrossCommError, type AckContent } from '../protocol/index.js';
import type { ClientSettings } from './client.options.js';
import { abortedError, type CallOptions } from './deadline.js';
import type { WrittenFrame } from './frame-writer.js';
import { Outbox, type Credit, type OutgoingMessage } from './outbox.js';
import { PendingCall } from './pending-call.js';
import type { ReconnectingConnection } from './reconnecting-connection.js';
import type { DeliveryPlan, SentMessage } from './send-message.js';
import type { Session } from './session.js';

/** The way out: to the live connection, or into the outbox until there is one, and until the hub has answered. */
export class Sender {
  readonly #settings: ClientSettings;
  readonly #connection: ReconnectingConnection;
  readonly #outbox: Outbox;
  /** Whose turn it is; nothing is sent on a session before what is older. */
  #session: Session | undefined;
  /** Undefined towards servers that send no acks. */
  #credit: (Credit & { readonly maxAgeMs: number }) | undefined;
  /** Who waits until everything is answered. */
  #answered: PendingCall<void> | undefined;

  constructor(settings: ClientSettings, connection: ReconnectingConnection) {
    this.#settings = settings;
    this.#connection = connection;
    this.#outbox = new Outbox({ maxMessages: settings.queueMaxMessages, maxBytes: settings.queueMaxBytes });
  }

  /** Bytes of the messages that are kept, and bytes of others that the socket has not passed on. */
  get bufferedBytes(): number {
    const { bytes, unansweredBytes } = this.#outbox;
    return bytes + Math.max(0, (this.#session?.bufferedBytes ?? 0) - unansweredBytes);
  }

  /**
   * Sends or queues.
   * @throws CrossCommError see `sendMessage`
   */
  send({ msgId, frame }: WrittenFrame, { isDurable, awaits, ext }: DeliveryPlan, options: CallOptions): SentMessage | Promise<SentMessage> {
    if (options.signal?.aborted) throw abortedError(options.signal);
    const session = this.#session;
    const extended = ext && frame.slice(0, -1) + ext;
    if (session) {
      const best = (this.#credit && extended) || frame;
      const problem = session.sizeProblem(best);
      if (problem) throw problem;
      if (!(isDurable && this.#credit) && this.#outbox.mayBypass) {
        const { bufferedBytes } = session;
        if (bufferedBytes !== 0 && bufferedBytes + best.length > this.#settings.queueMaxBytes)
          throw new CrossCommError('CC_QUEUE_FULL', `${bufferedBytes} bytes are waiting.`);
        if (session.send(best)) return { msgId, receipt: 'sent' };
      }
    }
    this.assertOpen();
    const call = new PendingCall<SentMessage>(() => this.#outbox.remove(msgId));
    this.#outbox.add({ msgId, plainFrame: frame, frame: extended || frame, isDurable, awaits, call });
    this.#flush();
    return call.wait(options);
  }

  /** @throws CrossCommError unless the client is connected or on its way to be */
  assertOpen(): void {
    const { status } = this.#connection;
    if (status.state === 'idle') throw new CrossCommError('CC_NOT_CONNECTED');
    if (status.state === 'closed') throw status.reason ?? new CrossCommError('CC_CLOSED');
  }

  /**
   * A new connection: sends what waited, first what the last one did not answer. What this hub would not take fails.
   * @param announce tells the hub what is sent once more: it knows what of it was refused on a lost connection, and does not
   *   take that behind what was sent later
   */
  sessionChanged(session: Session, announce: (msgIds: readonly string[]) => void): void {
    const { welcome } = session;
    this.#session = session;
    this.#credit = undefined;
    if (welcome?.features.includes('acks')) {
      const { maxUnacked: messages, maxUnackedBytes: bytes, duplicateWindowMs } = welcome.limits;
      this.#credit = { messages, bytes, maxAgeMs: Math.min(this.#settings.resendMaxAgeMs, duplicateWindowMs / 2) };
    }
    // so many names fit into one frame, and no more are without any answer
    const inDoubt = this.#outbox.inDoubt.slice(-3_000);
    if (this.#credit && inDoubt.length) announce(inDoubt);
    this.#flush();
  }

  /** Takes the content of an `ack`. */
  acknowledged(content: unknown): void {
    const { receipt, msg_ids } = (content ?? {}) as Partial<AckContent>;
    if (receipt && Array.isArray(msg_ids)) this.#outbox.acknowledge(receipt, msg_ids);
    this.#flush();
  }

  /** Takes an `error` about message `msgId`; `false` when it is not one that waits for an answer. */
  refused(msgId: string | undefined, error: CrossCommError): boolean {
    const isKnown = msgId !== undefined && this.#outbox.refuse(msgId, error);
    if (isKnown) this.#flush();
    return isKnown;
  }

  /** Resolves when everything is sent and answered, the connection is lost, or the time is over. */
  async untilAnswered(timeoutMs: number): Promise<void> {
    if (!this.#session || this.#outbox.isAnswered) return;
    this.#answered ??= new PendingCall<void>(() => (this.#answered = undefined));
    // a time that is over is no failure here: the caller goes on
    await this.#answered.wait({ timeoutMs }).catch(() => undefined);
  }

  /** The connection is gone. */
  sessionLost(): void {
    this.#session = undefined;
    this.#outbox.requeue();
    this.#answered?.resolve();
  }

  /** The client is closed: nothing that waits will be sent. */
  closed(reason: CrossCommError): void {
    this.#outbox.failAll(reason);
  }

  #flush(): void {
    const session = this.#session;
    if (!session) return;
    const credit = this.#credit;
    // not the wall clock: it may jump by days
    const nowMs = performance.now();
    const transmit = (message: OutgoingMessage): boolean | CrossCommError => {
      const { sentAtMs = nowMs } = message;
      if (credit && nowMs - sentAtMs > credit.maxAgeMs) return new CrossCommError('CC_DELIVERY_UNKNOWN', 'Too old to be sent again.');
      const best = credit ? message.frame : message.plainFrame;
      const outcome = session.sizeProblem(best) ?? session.send(best);
      if (outcome === true) message.sentAtMs = sentAtMs;
      return outcome;
    };
    this.#outbox.flush(transmit, credit);
    if (this.#outbox.isAnswered) this.#answered?.resolve();
  }
}
