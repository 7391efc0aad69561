import { CrossCommError, fromWireContent, isAttachmentType, type Envelope, type Message } from '../protocol/index.js';
import type { ClientProblem } from './client-problem.js';
import type { HandlerMatch, MessageHandler } from './message-handlers.js';

/** One message on its way to its handlers. */
export interface Delivery {
  readonly envelope: Envelope;
  readonly matches: readonly HandlerMatch[];
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
  run({ envelope, matches }: Delivery): Promise<void> | undefined {
    const message: Message = { ...envelope, content: fromWireContent(envelope.msgType, envelope.content) };
    const downloads = new Map<string, Promise<Downloaded>>();
    const deliver = ({ handler, downloadDirectory: directory }: HandlerMatch): Promise<void> | undefined => {
      if (directory === undefined || envelope.ossKey === null || !isAttachmentType(envelope.msgType)) return this.#call(handler, { ...message });
      const download = downloads.get(directory) ?? this.#download(envelope, directory);
      downloads.set(directory, download);
      return download.then((downloaded) => this.#call(handler, { ...message, ...downloaded }));
    };
    let pending: Promise<void> | undefined;
    for (const match of matches) pending = pending ? pending.then(() => deliver(match)) : deliver(match);
    return pending;
  }

  #call(handler: MessageHandler, message: Message): Promise<void> | undefined {
    const failed = (error: unknown): void => this.#context.report({ kind: 'listener', error, listener: handler.name, message });
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

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
