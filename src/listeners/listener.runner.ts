import { Injectable, Logger } from '@nestjs/common';
import { isObservable, lastValueFrom } from 'rxjs';
import type { ConnectedClient } from '../clients/index.js';
import { fromWireContent, isAttachmentType, type Envelope, type Message } from '../protocol/index.js';
import { AttachmentDownloader } from './attachment-downloader.js';
import type { ListenerMatch } from './listener.registry.js';

/** A message and the listeners that want it. */
export interface ListenerRun {
  readonly client: ConnectedClient;
  readonly envelope: Envelope;
  readonly matches: readonly ListenerMatch[];
  /** The content listeners see, made when the first of them runs. */
  content: unknown;
  /** Downloads that have begun, by directory: once per directory, however many listeners share it. */
  downloads: Map<string, Promise<string>> | undefined;
}

/** Calls the listeners of one message, one after another. What one of them throws or changes does not reach the next. */
@Injectable()
export class ListenerRunner {
  readonly #logger = new Logger(ListenerRunner.name);

  constructor(private readonly downloader: AttachmentDownloader) {}

  /** @returns undefined when all listeners are done; a promise, which never rejects, when one of them takes time */
  run(run: ListenerRun): Promise<void> | undefined {
    for (let at = 0; at < run.matches.length; at++) {
      const working = this.#call(run, at);
      if (working !== undefined) return this.#finish(run, at, working);
    }
    return undefined;
  }

  /** Waits for the listener at a place, then goes on with those behind it. */
  async #finish(run: ListenerRun, first: number, begun: PromiseLike<unknown>): Promise<void> {
    let working: PromiseLike<unknown> | undefined = begun;
    for (let at = first; ; working = this.#call(run, at)) {
      try {
        const result = await working;
        if (isObservable(result)) await lastValueFrom(result);
      } catch (error) {
        this.#failed(run, at, error);
      }
      if (++at === run.matches.length) return;
    }
  }

  #call(run: ListenerRun, at: number): PromiseLike<unknown> | undefined {
    const { client, envelope } = run;
    const { handle, filter } = run.matches[at] as ListenerMatch;
    try {
      const content = (run.content ??= fromWireContent(envelope.msgType, envelope.content));
      // what one listener changes, the next does not see; the last one may have the original
      const own = typeof content !== 'object' || at === run.matches.length - 1 ? content : structuredClone(content);
      const message = messageOf(envelope, own);
      if (filter.downloadDirectory === undefined || message.ossKey === null || !isAttachmentType(message.msgType))
        return handle.invoke(client, message, envelope.msgType);
      return this.#download(run, message, filter.downloadDirectory).then((local) => handle.invoke(client, local, envelope.msgType));
    } catch (error) {
      this.#failed(run, at, error);
      return undefined;
    }
  }

  /** The message with its attachment on the local disk; with the error, when the download failed. */
  async #download(run: ListenerRun, message: Message, directory: string): Promise<Message> {
    const downloads = (run.downloads ??= new Map<string, Promise<string>>());
    let download = downloads.get(directory);
    if (download === undefined) downloads.set(directory, (download = this.downloader.download(message, directory)));
    try {
      const localPath = await download;
      return { ...message, content: localPath, localPath };
    } catch (error) {
      return { ...message, downloadError: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  #failed({ envelope, matches }: ListenerRun, at: number, error: unknown): void {
    this.#logger.error(`Listener ${matches[at]?.handle.name} failed on a ${envelope.msgType} message.`, error);
  }
}

/** A message of its own for each listener. The members one by one: an envelope may make some only when it is asked. */
function messageOf(envelope: Envelope, content: unknown): Message {
  const { msgId, fromClientId, toClientId, msgType, timestamp, ossKey, ext } = envelope;
  const message: Message = { msgId, fromClientId, toClientId, msgType, content, timestamp, ossKey };
  return ext === undefined ? message : { ...message, ext };
}
