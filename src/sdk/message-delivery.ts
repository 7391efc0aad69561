import { CrossCommError, fromWireContent, isAttachmentType, type Envelope, type Message } from '../protocol/index.js';
import type { ClientProblem } from './client-problem.js';
import type { HandlerMatch } from './message-handlers.js';

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

type Attachment = { readonly localPath: string } | { readonly downloadError: Error };
type Attachments = ReadonlyMap<string, Promise<Attachment>>;

const NONE: Attachments = new Map();

/**
 * Calls the handlers of a message in turn, each with a message object of its own. An attachment is downloaded once per
 * directory, before the first handler that wants it there; a failed download is told to the handler, not hidden.
 */
export class MessageDelivery {
  constructor(private readonly context: DeliveryContext) {}

  /** Resolves when all handlers are done; returns nothing when none of them was asynchronous. Never rejects. */
  run({ envelope, matches }: Delivery): Promise<void> | undefined {
    const original: Message = { ...envelope, content: fromWireContent(envelope.msgType, envelope.content) };
    const attachments = this.#attachments(envelope, matches);
    for (let i = 0; i < matches.length; i++) {
      const pending = this.#call(matches[i] as HandlerMatch, original, attachments);
      if (pending !== undefined) return this.#finish(pending, { original, attachments, rest: matches.slice(i + 1) });
    }
    return undefined;
  }

  async #finish(
    first: Promise<void>,
    { original, attachments, rest }: { original: Message; attachments: Attachments; rest: readonly HandlerMatch[] },
  ): Promise<void> {
    await first;
    for (const match of rest) await this.#call(match, original, attachments);
  }

  #call({ handler, downloadDirectory }: HandlerMatch, original: Message, attachments: Attachments): Promise<void> | undefined {
    const attachment = downloadDirectory === undefined ? undefined : attachments.get(downloadDirectory);
    const invoke = (message: Message): Promise<void> | undefined => {
      const failed = (error: unknown): void => this.context.report({ kind: 'listener', error, listener: handler.name, message });
      try {
        const result = handler.call(message);
        return isThenable(result) ? Promise.resolve(result).then(undefined, failed) as Promise<void> : undefined;
      } catch (error) {
        failed(error);
        return undefined;
      }
    };
    if (attachment === undefined) return invoke({ ...original });
    return attachment.then((outcome) =>
      invoke('localPath' in outcome ? { ...original, content: outcome.localPath, ...outcome } : { ...original, ...outcome }),
    );
  }

  #attachments(envelope: Envelope, matches: readonly HandlerMatch[]): Attachments {
    if (!isAttachmentType(envelope.msgType) || envelope.ossKey === null) return NONE;
    const attachments = new Map<string, Promise<Attachment>>();
    for (const { downloadDirectory } of matches) {
      if (downloadDirectory === undefined || attachments.has(downloadDirectory)) continue;
      const attachment = this.context.download(envelope, downloadDirectory).then(
        (localPath) => ({ localPath }),
        (error: unknown) => ({ downloadError: CrossCommError.from(error, 'CC_STORAGE_FAILED') }),
      );
      attachments.set(downloadDirectory, attachment);
    }
    return attachments;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';
}
