import type { Envelope } from '../protocol/index.js';

/** Fetches what a file, image or folder message stands for. A port, because this folder knows no storage. */
export abstract class AttachmentDownloader {
  /**
   * @returns the local path, below `directory`
   * @throws CrossCommError from the storage, or `CC_UNSAFE_PATH` for keys that would leave the directory
   */
  abstract download(envelope: Envelope, directory: string): Promise<string>;
}
