import { Injectable } from '@nestjs/common';
import { sendError } from '../clients/index.js';
import { ClientRegistry } from '../clients/index.js';
import { CloseCode, CrossCommError, quoted } from '../protocol/index.js';
import { MessageRate, Refusals, SecurityOptions } from '../security/index.js';
import type { WebSocketConnection } from './web-socket.connection.js';

/** How often it is looked whether a stopped client may go on, in milliseconds. */
const LOOK_INTERVAL_MS = 20;

/** A client that kept to its rate for so long, in milliseconds, has not gone over it again and again. */
const CALM_MS = 2_000;

/**
 * Stops reading clients that send faster than they may. TCP then makes them wait: nothing is lost, and installed
 * clients need not know of it. One timer for all, which runs only while somebody is stopped.
 */
@Injectable()
export class ReadControl {
  readonly #stopped = new Set<WebSocketConnection>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly rate: MessageRate,
    private readonly refusals: Refusals,
    private readonly registry: ClientRegistry,
    private readonly options: SecurityOptions,
  ) {}

  /** Counts a message that was read. */
  spend(connection: WebSocketConnection, bytes: number, nowMs: number): void {
    if (this.rate.spend(connection, bytes, nowMs) || this.#stopped.has(connection)) return;
    if (this.#isAbuse(connection, nowMs)) return;
    this.#stopped.add(connection);
    connection.stopReading();
    this.#timer ??= setInterval(() => this.#look(), LOOK_INTERVAL_MS).unref();
    this.refusals.add('message_rate', `Stopped reading ${quoted(connection.client?.clientId)} for a moment: more than ${this.rate.text} per second.`);
    const retryAfter = Math.ceil(this.rate.waitMs(connection, nowMs)) / 1000;
    sendError(connection, new CrossCommError('CC_RATE_LIMITED', { detail: `More than ${this.rate.text} per second.`, retryAfter }), null);
  }

  /** Counts the time that a costly message took. */
  spendTime(connection: WebSocketConnection, tookMs: number, nowMs: number): void {
    this.rate.spendTime(connection, tookMs, nowMs);
  }

  /** Counts from stop to stop: who is never calm in between for long enough is cut off. */
  #isAbuse(connection: WebSocketConnection, nowMs: number): boolean {
    if (nowMs - connection.readAgainAtMs > CALM_MS) connection.overRateSinceMs = nowMs;
    const { abuseSeconds } = this.options;
    if (abuseSeconds === 0 || nowMs - connection.overRateSinceMs < abuseSeconds * 1000) return false;
    this.refusals.add('abuse', `Cut off ${quoted(connection.client?.clientId)}: more than ${this.rate.text} per second for ${abuseSeconds} s.`);
    sendError(connection, new CrossCommError('CC_RATE_LIMITED', `More than ${this.rate.text} per second for ${abuseSeconds} s.`), null);
    this.registry.closed(connection, 'disconnected');
    connection.close(CloseCode.RATE_LIMITED, 'faster than the message rate for too long');
    return true;
  }

  #look(): void {
    const nowMs = performance.now();
    for (const connection of this.#stopped) {
      if (!connection.isClosing && this.rate.waitMs(connection, nowMs) > 0) continue;
      this.#stopped.delete(connection);
      connection.readAgainAtMs = nowMs;
      connection.continueReading();
    }
    if (this.#stopped.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
