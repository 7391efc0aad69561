import { Injectable } from '@nestjs/common';
import { ClientRegistry } from '../clients/index.js';
import { CloseCode } from '../protocol/index.js';
import type { WebSocketConnection } from './web-socket.connection.js';

/** Longest delay of a timer, in milliseconds; a login that lasts longer is asked for again after 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Ends logins that were good for some time only. */
@Injectable()
export class LoginExpiry {
  readonly #timers = new WeakMap<WebSocketConnection, NodeJS.Timeout | undefined>();

  constructor(private readonly registry: ClientRegistry) {}

  /** Sets the end of a connection's login, in Unix seconds, in place of the one before; undefined: it has none. */
  set(connection: WebSocketConnection, expiresAt: number | undefined): void {
    connection.expiresAt = expiresAt;
    clearTimeout(this.#timers.get(connection));
    if (expiresAt === undefined) {
      if (this.#timers.has(connection)) this.#timers.set(connection, undefined);
      return;
    }
    // once, however often a login is refreshed
    if (!this.#timers.has(connection)) connection.webSocket.once('close', () => clearTimeout(this.#timers.get(connection)));
    const delayMs = Math.min(MAX_TIMER_MS, leftMs(expiresAt));
    this.#timers.set(connection, setTimeout(() => this.#expire(connection), delayMs).unref());
  }

  #expire(connection: WebSocketConnection): void {
    this.registry.closed(connection, 'expired');
    connection.close(CloseCode.LOGIN_TIMEOUT, 'the login has expired; log in again');
  }
}

/** Milliseconds until a login ends; undefined for one without an end. */
export function leftMs(expiresAt: number): number;
export function leftMs(expiresAt: number | undefined): number | undefined;
export function leftMs(expiresAt: number | undefined): number | undefined {
  return expiresAt === undefined ? undefined : Math.max(0, expiresAt * 1000 - Date.now());
}
