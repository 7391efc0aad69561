import type { CrossCommError } from '../protocol/index.js';
import type { Asked } from './client.options.js';
import type { ClientProblem } from './client-problem.js';
import { MAX_TIMER_MS } from './deadline.js';
import type { Requests } from './requests.js';

/** Gives the hub a new token before the login ends, where there is a function that makes one. */
export class TokenRefresh {
  readonly #token: Asked | undefined;
  readonly #requests: Requests;
  readonly #report: (problem: ClientProblem) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(token: Asked | undefined, requests: Requests, report: (problem: ClientProblem) => void) {
    this.#token = token;
    this.#requests = requests;
    this.#report = report;
  }

  /** Sets, or without an argument takes away, the end of the login. */
  begin(leftMs = 0): void {
    clearTimeout(this.#timer);
    const token = this.#token;
    // nothing is tried in the last moment: the next login brings a new token anyway
    if (typeof token === 'function' && leftMs > 500) this.#timer = setTimeout(() => void this.#refresh(token, leftMs), Math.min(leftMs * 0.8, MAX_TIMER_MS));
  }

  async #refresh(token: () => string | Promise<string>, leftMs: number): Promise<void> {
    try {
      const { expires_in } = (await this.#requests.hub('auth.refresh', { token: await token() })) as { readonly expires_in?: number };
      this.begin(expires_in && expires_in * 1000);
    } catch (error) {
      // the next connection begins anew
      if ((error as CrossCommError).code === 'CC_NOT_CONNECTED') return;
      this.#report({ kind: 'handler', error, handler: 'token' });
      this.begin(leftMs / 5);
    }
  }
}
