import { CrossCommError, fromWireContent, isAttachmentType, type Envelope, type Message } from '../protocol/index.js';
import type { ClientProblem } from './client-problem.js';
import type { MailItem, RejectOptions } from './mail-item.js';
import type { ConfirmableMessage, HandlerMatch, MessageHandler } from './message-handlers.js';

/** One message on its way to its handlers. */
export interface Delivery {
  readonly envelope: Envelope;
  readonly matches: readonly HandlerMatch[];
  /** Of a durable message: what is told when it is processed. */
  readonly item: MailItem | undefined;
}

export interface DeliveryContext {
  /** Downloads the attachment of a message; resolves with the local path. */
  download(envelope: Envelope, directory: string): Promise<string>;
  report(problem: ClientProblem): void;
}

/** What a download changes in the message. */
type Downloaded = Pick<Message, 'content' | 'localPath'> | Pick<Message, 'downloadError'>;

/**
 * Calls the handlers of a message in turn, each with a message object of its own. An attachment is downloaded once per
 * directory, before the first handler that wants it there; a failed download is told to the handler, not hidden.
 */
export class MessageDelivery {
  readonly #context: DeliveryContext;

  constructor(context: DeliveryContext) {
    this.#context = context;
  }

  /** Resolves when all handlers are done; returns nothing when none of them was asynchronous. Never rejects. */
  run(delivery: Delivery): Promise<void> | undefined {
    const pending = this.#deliver(delivery);
    const { item } = delivery;
    if (pending) return pending.then(() => item?.release());
    item?.release();
    return undefined;
  }

  #deliver({ envelope, matches, item }: Delivery): Promise<void> | undefined {
    const message: Message = { ...envelope, content: fromWireContent(envelope.msgType, envelope.content) };
    const downloads = new Map<string, Promise<Downloaded>>();
    const deliver = ({ handler, downloadDirectory: directory }: HandlerMatch): Promise<void> | undefined => {
      if (!directory || envelope.ossKey === null || !isAttachmentType(envelope.msgType)) return this.#call(handler, { ...message }, item);
      const download = downloads.get(directory) ?? this.#download(envelope, directory);
      downloads.set(directory, download);
      return download.then((downloaded) => this.#call(handler, { ...message, ...downloaded }, item));
    };
    let pending: Promise<void> | undefined;
    for (const match of matches) pending = pending ? pending.then(() => deliver(match)) : deliver(match);
    return pending;
  }

  #call(handler: MessageHandler, given: Message, item: MailItem | undefined): Promise<void> | undefined {
    const message = handler.confirmsItself ? confirmable(given, item) : given;
    const failed = (error: unknown): void => {
      this.#context.report({ kind: 'listener', error, listener: handler.name, message });
      // without effect when it has decided before it failed
      if (handler.confirmsItself) (message as ConfirmableMessage).reject();
    };
    try {
      const result = handler.call(message);
      if (!isThenable(result)) return undefined;
      return Promise.resolve(result).then(() => undefined, failed);
    } catch (error) {
      failed(error);
      return undefined;
    }
  }

  #download(envelope: Envelope, directory: string): Promise<Downloaded> {
    return this.#context.download(envelope, directory).then(
      (localPath) => ({ content: localPath, localPath }),
      (error: unknown) => ({ downloadError: CrossCommError.from(error, 'CC_STORAGE_FAILED') }),
    );
  }
}

/** The message with its decision, which counts once. */
function confirmable(message: Message, item: MailItem | undefined): ConfirmableMessage {
  let isDecided = !item;
  const decide = (decision: () => void) => (): void => {
    if (isDecided) return;
    isDecided = true;
    decision();
  };
  item?.hold();
  return {
    ...message,
    confirm: decide(() => item?.release()),
    reject: (options: RejectOptions = {}) => decide(() => item?.reject(options))(),
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
