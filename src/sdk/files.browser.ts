import { CrossCommError, type NewKeyResult, type SignRequest, type SignResult } from '../protocol/index.js';
import type { ClientFiles, HubLink, UploadCall, UploadedAttachment } from './client-files.js';
import { absoluteUrl, storageRefusal } from './signed-transfer.js';

/** Files and images in a browser: Blobs, over the hub's storage, which must allow the page's origin. No progress. */
export class BrowserFiles implements ClientFiles {
  readonly #link: HubLink;

  constructor(link: HubLink) {
    this.#link = link;
  }

  async upload({ msgType, source, signal }: UploadCall): Promise<UploadedAttachment> {
    if (msgType === 'folder') throw new CrossCommError('CC_UNSUPPORTED', 'Send its files one by one.');
    if (!(source instanceof Blob)) throw new CrossCommError('CC_INVALID_CONTENT', `${msgType} takes a Blob.`);
    const { name = 'blob' } = source as { readonly name?: string };
    const answer = await this.#link.request('files.new_key', { msg_type: msgType, name }, { signal });
    const { key } = answer as NewKeyResult;
    // a slice has no type: signatures cover the header Content-Type that it would become
    await this.#transfer({ method: 'PUT', key }, { body: source.slice(), signal });
    return { ossKey: key, content: name };
  }

  async download(): Promise<never> {
    throw new CrossCommError('CC_UNSUPPORTED', 'Call downloadFile(ossKey).');
  }

  async downloadBlob(key: string, signal: AbortSignal): Promise<Blob> {
    const response = await this.#transfer({ method: 'GET', key }, { signal });
    return response.blob();
  }

  async #transfer(request: SignRequest, init: { readonly body?: Blob; readonly signal: AbortSignal }): Promise<Response> {
    const { urls } = (await this.#link.request('files.sign', { requests: [request] }, init)) as SignResult;
    const url = absoluteUrl(urls[0] as string, this.#link.url());
    const response = await fetch(url, { method: request.method, ...init });
    if (!response.ok) throw storageRefusal(response.status);
    return response;
  }
}
