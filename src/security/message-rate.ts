import { Injectable } from '@nestjs/common';
import { SecurityOptions } from './security.options.js';

/** What may come at once after a quiet time, as a time at the full rate, in milliseconds. */
const BURST_MS = 2_000;

/** A client that was stopped goes on when this much of its burst is free again, in milliseconds. */
const REFILL_MS = 500;

/** What takes the hub a moment uses up so many times as much of the budget: nobody gets more than a quarter of its time. */
const COST_OF_TIME = 4;

/** No message uses up more than this, so that a hub that was frozen meanwhile does not hold it against a client. */
const MAX_COST_MS = 1_000;

/** What a client has used of its rate; two numbers that stand on its connection. Monotonic milliseconds. */
export interface RateAccount {
  /** Time up to which its messages use up the average rate. */
  messagesUsedUntilMs: number;
  /** The same of their bytes. */
  bytesUsedUntilMs: number;
}

/** Messages and bytes per client: arithmetic on two numbers, because it stands in the way of every message. */
@Injectable()
export class MessageRate {
  readonly #messageMs: number;
  readonly #byteMs: number;
  readonly #text: string;

  constructor({ messagesPerSecond, bytesPerSecond }: SecurityOptions) {
    this.#messageMs = messagesPerSecond > 0 ? 1000 / messagesPerSecond : 0;
    this.#byteMs = bytesPerSecond > 0 ? 1000 / bytesPerSecond : 0;
    const parts = [messagesPerSecond > 0 && `${messagesPerSecond} messages`, bytesPerSecond > 0 && `${bytesPerSecond} bytes`];
    this.#text = parts.filter(Boolean).join(' or ');
  }

  /** The limits in words, e.g. `2000 messages or 16777216 bytes`. */
  get text(): string {
    return this.#text;
  }

  /** Counts a message, which has been read and is handled in any case; false: no further one should be read for now. */
  spend(account: RateAccount, bytes: number, nowMs: number): boolean {
    const messages = (account.messagesUsedUntilMs > nowMs ? account.messagesUsedUntilMs : nowMs) + this.#messageMs;
    const all = (account.bytesUsedUntilMs > nowMs ? account.bytesUsedUntilMs : nowMs) + bytes * this.#byteMs;
    account.messagesUsedUntilMs = messages;
    account.bytesUsedUntilMs = all;
    return (messages > all ? messages : all) - nowMs <= BURST_MS;
  }

  /** Counts the time that something costly took; the next {@link spend} tells what follows from it. */
  spendTime(account: RateAccount, tookMs: number, nowMs: number): void {
    if (this.#text === '') return;
    account.bytesUsedUntilMs = Math.max(account.bytesUsedUntilMs, nowMs) + Math.min(tookMs * COST_OF_TIME, MAX_COST_MS);
  }

  /** Milliseconds until a client that was stopped should be read again; 0 or less: now. */
  waitMs({ messagesUsedUntilMs, bytesUsedUntilMs }: RateAccount, nowMs: number): number {
    return Math.max(messagesUsedUntilMs, bytesUsedUntilMs) - nowMs - (BURST_MS - REFILL_MS);
  }
}
