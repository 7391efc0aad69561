import { fileObjectKey, folderObjectPrefix, type AttachmentType, type KeyStamp } from '../../protocol/index.js';
import type { FileStorage } from '../file-storage.js';
import type { TransferOptions } from './transfer.options.js';
import { uploadFile } from './upload-file.js';
import { uploadFolder } from './upload-folder.js';

/** An attachment to send. */
export interface UploadAttachmentRequest extends TransferOptions {
  /** The sender's id; part of the key. */
  readonly clientId: string;
  readonly msgType: AttachmentType;
  /** Local path of the file or folder. */
  readonly path: string;
  /** Time and random part of the key. */
  readonly stamp: KeyStamp;
}

/**
 * Uploads a message's attachment under a new key and returns it, for `oss_key`. A folder's key ends with `/`.
 *
 * @throws CrossCommError as `uploadFile` and `uploadFolder`
 */
export async function uploadAttachment(storage: FileStorage, request: UploadAttachmentRequest): Promise<string> {
  const { clientId, msgType, path, stamp, ...options } = request;
  if (msgType === 'folder') {
    const prefix = folderObjectPrefix(clientId, stamp);
    await uploadFolder(storage, { ...options, prefix, path });
    return prefix;
  }
  const key = fileObjectKey(clientId, path, stamp);
  await uploadFile(storage, { ...options, key, path });
  return key;
}
