import { CrossCommError, SERVER_ID, replyTo, type Envelope, type ResponseContent } from '../protocol/index.js';
import type { ClientListRequests } from './client-list-requests.js';
import type { ClientProblem } from './client-problem.js';
import type { ClientSettings } from './client.options.js';
import { InboundQueue } from './inbound-queue.js';
import { MessageDelivery, type Delivery } from './message-delivery.js';
import type { MessageHandlers } from './message-handlers.js';
import type { ReconnectingConnection } from './reconnecting-connection.js';
import type { PendingCalls } from './pending-calls.js';

export interface InboxContext {
  readonly settings: ClientSettings;
  readonly connection: ReconnectingConnection;
  readonly handlers: MessageHandlers;
  readonly lists: ClientListRequests;
  readonly requests: PendingCalls<unknown>;
  report(problem: ClientProblem): void;
  download(envelope: Envelope, directory: string): Promise<string>;
}

/** Where received envelopes go: answers to who asked, messages to their handlers, the client's own to nobody. */
export class Inbox {
  readonly #context: InboxContext;
  readonly #queue: InboundQueue<Delivery>;

  constructor(context: InboxContext) {
    this.#context = context;
    const { settings, connection } = context;
    const delivery = new MessageDelivery(context);
    this.#queue = new InboundQueue(
      { concurrency: settings.listenerConcurrency, maxWaiting: settings.inboundMaxMessages },
      { run: (item) => delivery.run(item), onFull: (isFull) => connection.online?.pause(isFull) },
    );
  }

  receive(envelope: Envelope): void {
    const { settings, handlers } = this.#context;
    // the old server echoes, and so does ours (wire facts 9.9)
    if (envelope.fromClientId === settings.clientId) return;
    if (envelope.fromClientId === SERVER_ID && this.#isAnswer(envelope)) return;
    const matches = handlers.match(envelope);
    if (matches.length > 0) this.#queue.push(envelope.fromClientId, { envelope, matches });
  }

  /** A new socket begins unpaused; the queue may still be full of the last one's messages. */
  sessionChanged(): void {
    if (this.#queue.isFull) this.#context.connection.online?.pause(true);
  }

  clear(): void {
    this.#queue.clear();
  }

  /** Answers count only from the server, and errors and responses only from one that was announced to. */
  #isAnswer({ msgType, content }: Envelope): boolean {
    const { lists, requests, connection } = this.#context;
    if (msgType === 'list_clients_response') {
      lists.answered(content);
      return true;
    }
    if (!connection.online?.welcome) return false;
    const id = replyTo(content);
    if (msgType === 'response') return requests.settle(id, (call) => call.resolve((content as ResponseContent).data));
    if (msgType !== 'error') return false;
    const error = CrossCommError.fromWire(content);
    if (!requests.settle(id, (call) => call.reject(error)) && !lists.refused(id, error)) this.#context.report({ kind: 'refused', error, msgId: id });
    return true;
  }
}
