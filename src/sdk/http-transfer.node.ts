import * as http from 'node:http';
import * as https from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CrossCommError } from '../protocol/index.js';
import { abortedError } from './deadline.js';
import { storageRefusal } from './signed-transfer.js';

/** One HTTP exchange with the file storage. */
export interface HttpExchange {
  readonly method: 'GET' | 'PUT';
  readonly url: string;
  readonly headers: http.OutgoingHttpHeaders;
  readonly body?: Readable;
  readonly signal?: AbortSignal;
}

/** A transfer on which nothing moves for so long has failed. */
const IDLE_TIMEOUT_MS = 60_000;

/**
 * Streams bodies to and from signed URLs. node:http and not fetch: a streamed body keeps its Content-Length, which
 * signed uploads need, and the connections can be closed with the client.
 */
export class HttpTransfer {
  #agents: { readonly http: http.Agent; readonly https: https.Agent } | undefined;

  /**
   * Resolves with the answer when its head is there and says success; its body is the caller's to read or destroy.
   * @throws CrossCommError `CC_FILE_NOT_FOUND`, `CC_STORAGE_DENIED`, `CC_STORAGE_FAILED`, `CC_ABORTED`
   */
  async exchange({ method, url, headers, body, signal }: HttpExchange): Promise<http.IncomingMessage> {
    try {
      const isTls = url.startsWith('https:');
      const { request: open } = isTls ? https : http;
      const request = open(url, { method, headers, agent: this.#agent(isTls), ...(signal === undefined ? {} : { signal }) });
      request.setTimeout(IDLE_TIMEOUT_MS, () => request.destroy(new Error('Nothing moved for a minute')));
      const answer = new Promise<http.IncomingMessage>((resolve, reject) => {
        request.once('response', resolve);
        request.once('error', reject);
      });
      // a storage may refuse before it has read the body: then its answer counts, not the broken pipe
      const sent = body === undefined ? Promise.resolve(request.end()) : pipeline(body, request);
      sent.catch(() => undefined);
      const response = await Promise.race([answer, sent.then(() => answer)]);
      if ((response.statusCode ?? 0) < 300) return response;
      response.resume();
      throw storageRefusal(response.statusCode ?? 0);
    } catch (error) {
      if (signal?.aborted) throw abortedError(signal);
      throw CrossCommError.from(error, 'CC_STORAGE_FAILED');
    }
  }

  /** Ends the connections that are kept open for the next transfer. */
  close(): void {
    this.#agents?.http.destroy();
    this.#agents?.https.destroy();
    this.#agents = undefined;
  }

  #agent(isTls: boolean): http.Agent {
    this.#agents ??= { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };
    return isTls ? this.#agents.https : this.#agents.http;
  }
}
