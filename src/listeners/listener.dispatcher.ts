import { Injectable, Logger } from '@nestjs/common';
import type { ConnectedClient } from '../clients/index.js';
import { fromWireContent, isAttachmentType, type Envelope, type Message } from '../protocol/index.js';
import { AttachmentDownloader } from './attachment-downloader.js';
import { ListenerRegistry, type ListenerMatch } from './listener.registry.js';
import { ListenersOptions } from './listeners.options.js';

interface PendingMessage {
  readonly client: ConnectedClient;
  readonly envelope: Envelope;
  readonly matches: readonly ListenerMatch[];
}

/** How the listeners are doing. */
export interface ListenerStats {
  /** Messages that wait for their listeners. */
  readonly pending: number;
  /** Messages the listeners missed because too many were waiting. */
  readonly missed: number;
}

/**
 * Runs the listeners of each message. Messages of one sender run one after another, in order; different senders run
 * side by side up to a bound. The relay never waits for a listener.
 */
@Injectable()
export class ListenerDispatcher {
  readonly #logger = new Logger(ListenerDispatcher.name);
  readonly #queues = new Map<string, PendingMessage[]>();
  readonly #waitingSenders: string[] = [];
  #running = 0;
  #pending = 0;
  #missed = 0;

  constructor(
    private readonly registry: ListenerRegistry,
    private readonly downloader: AttachmentDownloader,
    private readonly options: ListenersOptions,
  ) {}

  get stats(): ListenerStats {
    return { pending: this.#pending, missed: this.#missed };
  }

  /** Hands a routed message to the listeners that want it; returns at once. */
  dispatch(client: ConnectedClient, envelope: Envelope): void {
    if (this.registry.isEmpty) return;
    const matches = this.registry.match(envelope.msgType, envelope.fromClientId);
    if (matches === undefined) return;
    if (this.#pending >= this.options.maxPendingListenerMessages) {
      if (this.#missed++ % 1000 === 0)
        this.#logger.warn(
          `Listeners are too slow: ${this.#missed} messages missed so far, ${this.#pending} waiting. Make them faster or raise maxPendingListenerMessages.`,
        );
      return;
    }
    this.#pending++;
    const queue = this.#queues.get(envelope.fromClientId);
    if (queue !== undefined) {
      queue.push({ client, envelope, matches });
      return;
    }
    this.#queues.set(envelope.fromClientId, [{ client, envelope, matches }]);
    if (this.#running < this.options.maxConcurrentListeners) void this.#drain(envelope.fromClientId);
    else this.#waitingSenders.push(envelope.fromClientId);
  }

  /** Runs one sender's messages until none is left, then takes over a waiting sender. */
  async #drain(firstSender: string): Promise<void> {
    this.#running++;
    for (let sender: string | undefined = firstSender; sender !== undefined; sender = this.#waitingSenders.shift()) {
      const queue = this.#queues.get(sender) ?? [];
      for (let next = 0; next < queue.length; next++) {
        await this.#run(queue[next] as PendingMessage);
        this.#pending--;
        // an array's shift() is slow on long arrays; done work is cut off in slices instead
        if (next === 1023) next -= queue.splice(0, 1024).length;
      }
      this.#queues.delete(sender);
    }
    this.#running--;
  }

  async #run({ client, envelope, matches }: PendingMessage): Promise<void> {
    const downloads = new Map<string, Promise<string>>();
    const content = fromWireContent(envelope.msgType, envelope.content);
    for (const [index, { handle, filter }] of matches.entries()) {
      try {
        // what one listener changes, the next does not see; the last one may have the original
        const own = index === matches.length - 1 || typeof content !== 'object' ? content : structuredClone(content);
        const message = await this.#prepare(messageOf(envelope, own), filter.downloadDirectory, downloads);
        await handle.invoke(client, message, envelope.msgType);
      } catch (error) {
        this.#logger.error(`Listener ${handle.name} failed on a ${envelope.msgType} message.`, error);
      }
    }
  }

  /** Downloads once per directory, however many listeners share it; a failed download still delivers the message. */
  async #prepare(message: Message, directory: string | undefined, downloads: Map<string, Promise<string>>): Promise<Message> {
    if (directory === undefined || message.ossKey === null || !isAttachmentType(message.msgType)) return message;
    let download = downloads.get(directory);
    if (download === undefined) downloads.set(directory, (download = this.downloader.download(message, directory)));
    try {
      const localPath = await download;
      return { ...message, content: localPath, localPath };
    } catch (error) {
      return { ...message, downloadError: error instanceof Error ? error : new Error(String(error)) };
    }
  }
}

/** The members one by one: an envelope may make some of them only when it is asked. */
function messageOf(envelope: Envelope, content: unknown): Message {
  const { msgId, fromClientId, toClientId, msgType, timestamp, ossKey, ext } = envelope;
  return { msgId, fromClientId, toClientId, msgType, content, timestamp, ossKey, ...(ext === undefined ? {} : { ext }) };
}
