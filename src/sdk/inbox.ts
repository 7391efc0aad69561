import { CrossCommError, SERVER_ID, replyTo, type Envelope } from '../protocol/index.js';
import type { ClientListRequests } from './client-list-requests.js';
import type { ClientProblem } from './client-problem.js';
import type { ClientSettings } from './client.options.js';
import { InboundQueue } from './inbound-queue.js';
import { MessageDelivery, type Delivery } from './message-delivery.js';
import type { MessageHandlers } from './message-handlers.js';
import type { ReconnectingConnection } from './reconnecting-connection.js';
import type { RequestTracker } from './request-tracker.js';

export interface InboxContext {
  readonly settings: ClientSettings;
  readonly connection: ReconnectingConnection;
  readonly handlers: MessageHandlers;
  readonly lists: ClientListRequests;
  readonly requests: RequestTracker;
  report(problem: ClientProblem): void;
  download(envelope: Envelope, directory: string): Promise<string>;
}

/** Where received envelopes go: answers to who asked, messages to their handlers, the client's own to nobody. */
export class Inbox {
  readonly #queue: InboundQueue<Delivery>;

  constructor(private readonly context: InboxContext) {
    const { settings, connection } = context;
    const delivery = new MessageDelivery(context);
    this.#queue = new InboundQueue(
      { concurrency: settings.listenerConcurrency, maxWaiting: settings.inboundMaxMessages },
      { run: (item) => delivery.run(item), onFull: (isFull) => void connection.online?.pause(isFull) },
    );
  }

  receive(envelope: Envelope): void {
    const { settings, handlers } = this.context;
    // the old server echoes, and so does ours (wire facts 9.9)
    if (envelope.fromClientId === settings.clientId) return;
    if (envelope.fromClientId === SERVER_ID && this.#isAnswer(envelope)) return;
    const matches = handlers.match(envelope);
    if (matches.length > 0) this.#queue.push(envelope.fromClientId, { envelope, matches });
  }

  /** A new socket begins unpaused; the queue may still be full of the last one's messages. */
  sessionChanged(): void {
    if (this.#queue.isFull) this.context.connection.online?.pause(true);
  }

  clear(): void {
    this.#queue.clear();
  }

  /** Answers count only from the server, and errors and responses only from one that was announced to. */
  #isAnswer({ msgType, content }: Envelope): boolean {
    const { lists, requests, connection } = this.context;
    if (msgType === 'list_clients_response') {
      lists.answered(content);
      return true;
    }
    if (connection.online?.welcome === undefined) return false;
    if (msgType === 'response') return requests.resolve(content);
    if (msgType !== 'error') return false;
    if (!requests.reject(content) && !lists.refused(content))
      this.context.report({ kind: 'refused', error: CrossCommError.fromWire(content), msgId: replyTo(content) });
    return true;
  }
}
