import { Injectable } from '@nestjs/common';
import { randomHex8 } from '../clients/index.js';
import { RequestRouter, type Requester } from '../delivery/index.js';
import {
  CrossCommError,
  SERVER_ID,
  assertClientId,
  messageId,
  toWireContent,
  type Envelope,
  type RequestContent,
  type ResponseContent,
} from '../protocol/index.js';

/** How long to wait for the answer of a client. */
export interface RequestOptions {
  /** Milliseconds; default, and at most, the option `maxRequestMs` of the hub. */
  readonly timeoutMs?: number;
  /** Takes the request back; the client is told. */
  readonly signal?: AbortSignal;
}

/** Requests of the hub's application to clients. */
@Injectable()
export class HubRequests {
  constructor(private readonly router: RequestRouter) {}

  /** See `CrossCommService.request`. */
  async request(toClientId: string, action: string, data: unknown, { timeoutMs, signal }: RequestOptions): Promise<unknown> {
    assertClientId(toClientId);
    if (signal?.aborted === true) throw aborted(signal);
    const content: RequestContent = { action, data: toWireContent('dict', data ?? null), timeout_ms: timeoutMs };
    const nowMs = Date.now();
    const envelope: Envelope = {
      msgId: messageId(SERVER_ID, nowMs, randomHex8()),
      fromClientId: SERVER_ID,
      toClientId,
      msgType: 'request',
      content,
      timestamp: nowMs / 1000,
      ossKey: null,
    };
    return this.#answerTo(envelope, signal);
  }

  #answerTo(envelope: Envelope, signal: AbortSignal | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        signal?.removeEventListener('abort', onAbort);
        act();
      };
      const requester: Requester = {
        clientId: SERVER_ID,
        onAnswer: (answer) => {
          const { data: result, error } = answer.envelope.content as ResponseContent;
          settle(() => (error === undefined ? resolve(result) : reject(CrossCommError.fromWire(error, 'CC_HANDLER_FAILED'))));
          return 'sent';
        },
        onFailure: (error) => settle(() => reject(error)),
      };
      // a refusal is thrown, and so rejects
      const request = this.router.request(requester, { envelope });
      const onAbort = (): void => {
        this.router.abandon(request);
        reject(aborted(signal));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

function aborted(signal: AbortSignal | undefined): CrossCommError {
  return new CrossCommError('CC_ABORTED', { cause: signal?.reason });
}
