import { Injectable } from '@nestjs/common';
import { AttachmentDownloader } from '../listeners/index.js';
import { CrossCommError, isAttachmentType, type Envelope } from '../protocol/index.js';
import { FileStorage, downloadAttachment } from '../storage/index.js';

/** Fetches attachments for the hub's own listeners, in the layout of the Python client. */
@Injectable()
export class StorageAttachmentDownloader extends AttachmentDownloader {
  constructor(private readonly storage: FileStorage) {
    super();
  }

  override download({ msgType, ossKey }: Envelope, directory: string): Promise<string> {
    if (ossKey === null || !isAttachmentType(msgType))
      return Promise.reject(new CrossCommError('CC_INVALID_CONTENT', 'The message has no attachment.'));
    return downloadAttachment(this.storage, { msgType, ossKey, directory, nowMs: Date.now() });
  }
}
