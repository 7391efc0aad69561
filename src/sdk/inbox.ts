import { CrossCommError, SERVER_ID, replyTo, type Envelope } from '../protocol/index.js';
import type { ClientListRequests } from './client-list-requests.js';
import type { ClientProblem } from './client-problem.js';
import type { ClientSettings } from './client.options.js';
import { InboundQueue } from './inbound-queue.js';
import type { MailItem } from './mail-item.js';
import type { MailReceiver } from './mail-receiver.js';
import { MessageDelivery, type Delivery } from './message-delivery.js';
import type { MessageHandlers } from './message-handlers.js';
import type { PresenceWatches } from './presence-watches.js';
import type { ReconnectingConnection } from './reconnecting-connection.js';
import type { RequestHandlers } from './request-handlers.js';
import type { Requests } from './requests.js';
import type { Sender } from './sender.js';

/** Parts of the client that are told of what comes in. */
export interface InboxParts {
  readonly settings: ClientSettings;
  readonly connection: ReconnectingConnection;
  readonly handlers: MessageHandlers;
  readonly lists: ClientListRequests;
  readonly requests: Requests;
  readonly requestHandlers: RequestHandlers;
  readonly watches: PresenceWatches;
  readonly sender: Sender;
}

export interface InboxContext {
  readonly mail: MailReceiver;
  report(problem: ClientProblem): void;
  download(envelope: Envelope, directory: string): Promise<string>;
}

/** Where received envelopes go: answers to who asked, messages to their handlers, the client's own to nobody. */
export class Inbox {
  readonly #context: InboxParts & InboxContext;
  readonly #queue: InboundQueue<Delivery>;
  /** Mail that came before there was any handler; the hub sends only so much of it. */
  #early: { readonly envelope: Envelope; readonly item: MailItem }[] = [];

  constructor(parts: InboxParts, context: InboxContext) {
    this.#context = { ...parts, ...context };
    const { settings, connection } = parts;
    const delivery = new MessageDelivery(context);
    this.#queue = new InboundQueue(
      { concurrency: settings.listenerConcurrency, maxWaiting: settings.inboundMaxMessages },
      { run: (item) => delivery.run(item), onFull: (isFull) => connection.online?.pause(isFull) },
    );
  }

  receive(envelope: Envelope): void {
    const { settings, handlers, mail } = this.#context;
    const { fromClientId } = envelope;
    if (this.#isProtocol(envelope)) return;
    const item = mail.accept(envelope);
    if (item === null) return;
    // the old server echoes, and so does ours (wire facts 9.9)
    if (fromClientId === settings.clientId) item?.release();
    else if (item && !handlers.wasUsed) this.#early.push({ envelope, item });
    else this.#surface(envelope, item);
  }

  /** The first handlers are there: they get the mail that came before them. */
  surfaceEarly(): void {
    for (const { envelope, item } of this.#early.splice(0)) this.#surface(envelope, item);
  }

  /** A new socket begins unpaused; the queue may still be full of the last one's messages. */
  sessionChanged(): void {
    if (this.#queue.isFull) this.#context.connection.online?.pause(true);
  }

  /** Forgets what waits; mail among it comes again with the next login. */
  clear(): void {
    for (const { item } of [...this.#queue.clear(), ...this.#early.splice(0)]) item?.abandon();
  }

  #surface(envelope: Envelope, item: MailItem | undefined): void {
    const matches = this.#context.handlers.match(envelope);
    if (matches.length > 0) this.#queue.push(envelope.fromClientId, { envelope, matches, item });
    else item?.release();
  }

  /** What is no user's message. Answers count only from the server, and those of protocol 2 only from one that was announced to. */
  #isProtocol(envelope: Envelope): boolean {
    const { msgType, content, fromClientId } = envelope;
    const { lists, requests, requestHandlers, connection, sender, watches } = this.#context;
    const isOfHub = fromClientId === SERVER_ID;
    if (isOfHub && msgType === 'list_clients_response') lists.answered(content);
    else if (!connection.online?.welcome) return false;
    else if (msgType === 'response') requests.answered(envelope);
    else if (msgType === 'request') void requestHandlers.receive(envelope);
    else if (msgType === 'cancel') requestHandlers.cancelled(envelope);
    else if (!isOfHub) return false;
    else if (msgType === 'ack') sender.acknowledged(content);
    else if (msgType === 'event') watches.received(content);
    else if (msgType === 'error') this.#refused(content);
    else return false;
    return true;
  }

  #refused(content: unknown): void {
    const { lists, requests, sender } = this.#context;
    const id = replyTo(content);
    const error = CrossCommError.fromWire(content);
    if (!sender.refused(id, error) && !requests.refused(id, error) && !lists.refused(id, error)) this.#context.report({ kind: 'refused', error, msgId: id });
  }
}
