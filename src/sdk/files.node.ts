import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { CrossCommError, FileAction, type NewKeyResult } from '../protocol/index.js';
import type { FileStorage } from '../storage/file-storage.js';
import { OssFileStorage } from '../storage/oss.file-storage.js';
import { downloadAttachment } from '../storage/transfer/download-attachment.js';
import { uploadAttachment } from '../storage/transfer/upload-attachment.js';
import { uploadFile } from '../storage/transfer/upload-file.js';
import { uploadFolder } from '../storage/transfer/upload-folder.js';
import { BrokeredFileStorage } from './brokered.file-storage.node.js';
import type { ClientFiles, DownloadCall, HubLink, UploadCall, UploadedAttachment } from './client-files.js';
import { HttpTransfer } from './http-transfer.node.js';

/** Which storage a client uses: one of its own, the hub's, or the bucket of the `OSS_*` environment variables. */
export type FileStorageChoice = FileStorage | 'brokered' | 'oss';

/** Files, images and folders in Node: by path, over the hub's storage or an own one. */
export class NodeFiles implements ClientFiles {
  readonly #http = new HttpTransfer();
  readonly #brokered: BrokeredFileStorage;
  #oss: OssFileStorage | undefined;

  constructor(
    private readonly link: HubLink,
    private readonly choice: FileStorageChoice | undefined,
  ) {
    this.#brokered = new BrokeredFileStorage(link, this.#http);
  }

  async upload({ msgType, source, ...options }: UploadCall): Promise<UploadedAttachment> {
    if (typeof source !== 'string' || source === '') throw new CrossCommError('CC_INVALID_CONTENT', `${msgType} takes a path.`);
    const storage = this.#storage();
    if (storage !== this.#brokered) {
      const stamp = { nowMs: Date.now(), hex8: randomBytes(4).toString('hex') };
      const { clientId } = this.link;
      return { ossKey: await uploadAttachment(storage, { ...options, clientId, msgType, path: source, stamp }), content: source };
    }
    const answer = await this.link.request(FileAction.NEW_KEY, { msg_type: msgType, name: basename(source) }, { signal: options.signal });
    const key = (answer as Partial<NewKeyResult> | null)?.key;
    if (typeof key !== 'string') throw new CrossCommError('CC_STORAGE_FAILED', 'The hub made no key.');
    if (msgType === 'folder') await uploadFolder(storage, { ...options, prefix: key, path: source });
    else await uploadFile(storage, { ...options, key, path: source });
    return { ossKey: key, content: source };
  }

  async download({ ossKey, msgType, ...options }: DownloadCall): Promise<string> {
    const type = msgType ?? (ossKey.endsWith('/') ? 'folder' : 'file');
    return downloadAttachment(this.#storage(), { ...options, ossKey, msgType: type, nowMs: Date.now() });
  }

  close(): void {
    this.#http.close();
  }

  #storage(): FileStorage {
    const { choice } = this;
    if (typeof choice === 'object') return choice;
    const isBrokeredHub = this.link.features()?.includes('files') === true;
    if (choice === 'brokered' || (choice === undefined && isBrokeredHub)) {
      if (isBrokeredHub) return this.#brokered;
      throw new CrossCommError('CC_UNSUPPORTED', 'This server has no file storage for its clients, or the client is not online.');
    }
    if (choice === undefined && !OssFileStorage.isConfigured(process.env))
      throw new CrossCommError(
        'CC_UNSUPPORTED',
        'There is no file storage: the server offers none, and OSS_ENDPOINT, OSS_BUCKET_NAME, OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET are not set.',
      );
    return (this.#oss ??= OssFileStorage.fromEnvironment(process.env));
  }
}
