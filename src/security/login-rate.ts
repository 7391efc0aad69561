import { Injectable } from '@nestjs/common';
import { addressGroup } from './client-address.js';
import { SecurityOptions } from './security.options.js';

/** Addresses whose logins are remembered; beyond it the one that was quiet longest is forgotten. */
const MAX_ADDRESSES = 100_000;

/**
 * Logins per address. Kept per address is one number: the time up to which its logins use up the average rate. It runs
 * ahead of the clock by what a burst may be, and no further.
 */
@Injectable()
export class LoginRate {
  /** The address that was quiet longest comes first. */
  readonly #usedUntilMs = new Map<string, number>();
  readonly #loginMs: number;
  readonly #burstMs: number;

  constructor({ loginsPerSecond, loginBurst }: SecurityOptions) {
    this.#loginMs = loginsPerSecond > 0 ? 1000 / loginsPerSecond : 0;
    this.#burstMs = this.#loginMs * loginBurst;
  }

  /**
   * Asks for one login.
   * @returns 0 when it may go on, otherwise the milliseconds until the next one may, and then nothing was used up
   */
  tryLogin(address: string, nowMs: number): number {
    const group = addressGroup(address);
    const usedUntilMs = this.#ahead(group, nowMs) + this.#loginMs;
    const waitMs = usedUntilMs - nowMs - this.#burstMs;
    // what is used up exactly must not fail by a rounding error
    if (waitMs > 1e-6) return waitMs;
    this.#remember(group, usedUntilMs, nowMs);
    return 0;
  }

  /** Uses up `logins` more without asking: what a failed login costs. It never bars for longer than what they cost. */
  charge(address: string, logins: number, nowMs: number): void {
    const group = addressGroup(address);
    const usedUntilMs = this.#ahead(group, nowMs) + this.#loginMs * logins;
    this.#remember(group, Math.min(usedUntilMs, nowMs + this.#burstMs + this.#loginMs * logins), nowMs);
  }

  /** Addresses that are remembered. */
  get addressCount(): number {
    return this.#usedUntilMs.size;
  }

  #ahead(group: string, nowMs: number): number {
    return Math.max(this.#usedUntilMs.get(group) ?? 0, nowMs);
  }

  #remember(group: string, usedUntilMs: number, nowMs: number): void {
    if (this.#loginMs === 0) return;
    this.#usedUntilMs.delete(group);
    this.#usedUntilMs.set(group, usedUntilMs);
    // two go for one that comes, so that addresses with nothing used up do not stay; never more than a few steps
    let steps = 2;
    for (const [oldest, untilMs] of this.#usedUntilMs) {
      if (steps-- === 0 || (untilMs > nowMs && this.#usedUntilMs.size <= MAX_ADDRESSES)) break;
      this.#usedUntilMs.delete(oldest);
    }
  }
}
