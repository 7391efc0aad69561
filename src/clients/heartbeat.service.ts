import { Injectable } from '@nestjs/common';
import { CloseCode } from '../protocol/index.js';
import { ClientRegistry } from './client-registry.service.js';
import { ClientsOptions } from './clients.options.js';
import type { Connection } from './connection.js';

/**
 * Ends connections that are silent for longer than `heartbeatTimeout`, and those that do not log in. One sweep for
 * all of them, on the monotonic clock; no timer per connection.
 */
@Injectable()
export class HeartbeatService {
  readonly #sweepIntervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #onLoginTimeout: (connection: Connection) => void = () => undefined;
  #lastSweepAtMs = 0;

  constructor(
    private readonly registry: ClientRegistry,
    private readonly options: ClientsOptions,
  ) {
    const shortestMs = Math.min(options.heartbeatTimeout * 1000, options.loginTimeoutMs);
    this.#sweepIntervalMs = Math.min(500, Math.max(20, shortestMs / 4));
  }

  /** @param onLoginTimeout told of each connection that is closed because nobody logged in */
  start(onLoginTimeout: (connection: Connection) => void): void {
    this.#onLoginTimeout = onLoginTimeout;
    this.#lastSweepAtMs = performance.now();
    this.#timer ??= setInterval(() => this.sweep(), this.#sweepIntervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** One pass over all connections. */
  sweep(nowMs: number = performance.now()): void {
    const sinceLastMs = nowMs - this.#lastSweepAtMs;
    this.#lastSweepAtMs = nowMs;
    // the hub itself stood still (debugger, suspended machine): frames that arrived meanwhile are read before judging
    if (sinceLastMs > this.#sweepIntervalMs + 1000) return;
    const timeoutMs = this.options.heartbeatTimeout * 1000;
    for (const client of this.registry.online()) {
      if (nowMs - client.lastHeardAtMs <= timeoutMs) continue;
      const { connection } = client;
      // it cannot be heard while nobody listens
      if (connection.isReadingStopped) {
        client.lastHeardAtMs = nowMs;
        continue;
      }
      this.registry.closed(connection, 'heartbeat_timeout');
      connection.close(CloseCode.HEARTBEAT_TIMEOUT, `silent for more than ${this.options.heartbeatTimeout} s`);
    }
    for (const connection of this.registry.awaitingLogin()) {
      if (nowMs - connection.awaitingLoginSinceMs <= this.options.loginTimeoutMs) continue;
      this.#onLoginTimeout(connection);
      this.registry.closed(connection, 'closed');
      connection.close(CloseCode.LOGIN_TIMEOUT, `no login within ${this.options.loginTimeoutMs} ms`);
    }
  }
}
