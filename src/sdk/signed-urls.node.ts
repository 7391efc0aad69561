import { CrossCommError, FileAction, type SignRequest, type SignResult } from '../protocol/index.js';
import type { HubLink } from './client-files.js';
import { absoluteUrl } from './signed-transfer.js';

/** Keys and signatures are long, and the answer has to fit into one message. */
const MAX_BATCH = 200;

interface WaitingRequest {
  readonly request: SignRequest;
  resolve(url: string): void;
  reject(error: unknown): void;
}

/** Asks the hub for signed URLs; what is asked for in one turn of the event loop travels in one request. */
export class SignedUrls {
  #waiting: WaitingRequest[] = [];

  constructor(private readonly link: HubLink) {}

  /** An absolute URL that allows one operation for some minutes. */
  sign(request: SignRequest): Promise<string> {
    return new Promise<string>((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      if (this.#waiting.length === MAX_BATCH) void this.#send();
      else if (this.#waiting.length === 1) setImmediate(() => void this.#send());
    });
  }

  async #send(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length === 0) return;
    const requests = batch.map(({ request }) => request);
    try {
      const { urls = [] } = ((await this.link.request(FileAction.SIGN, { requests })) ?? {}) as Partial<SignResult>;
      for (const [index, waiting] of batch.entries()) {
        const url: unknown = urls[index];
        if (typeof url === 'string') waiting.resolve(absoluteUrl(url, this.link.url()));
        else waiting.reject(new CrossCommError('CC_STORAGE_FAILED', 'The hub signed too few URLs.'));
      }
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    }
  }
}
