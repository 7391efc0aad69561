import { CrossCommError, PROTOCOL_LIMITS, assertClientId } from '../protocol/index.js';
import { consoleLogger } from './console.logger.js';
import { MAX_TIMER_MS } from './deadline.js';
import type { Clock } from './frame-writer.js';
import type { ClientLogger } from './logger.js';
import { RECONNECT_DEFAULTS, type ReconnectOptions, type ReconnectPolicy } from './reconnect-policy.js';
import type { WebSocketFactory } from './transports/web-socket.transport.js';

/** An address, or a function that is asked before each connection. */
export type HubUrl = string | (() => string | Promise<string>);

/** The options of a client. Durations in milliseconds, sizes in bytes. */
export interface ClientOptions {
  /** Address of the hub, `ws://host:port` or `wss://...`. Default: made of `ip` and `port`. */
  readonly url?: HubUrl;
  /** Host name or address of the hub, for those who port Python code. Default `localhost`. */
  readonly ip?: string;
  /** Port of the hub. Default 9898. */
  readonly port?: number;
  /**
   * Who this client is. One id can be logged in once; the newest login wins. Default in Node `<12 hex MAC>_<8 hex>`,
   * new for each client; in a browser the same shape, kept per browser and tab.
   */
  readonly clientId?: string;
  /** Time between heartbeats; a shorter one announced by the hub wins. Default 30,000. */
  readonly heartbeatIntervalMs?: number;
  /** Silence of the hub, in spite of probes, after which the connection is given up and made anew. Default 30,000. */
  readonly heartbeatTimeoutMs?: number;
  /**
   * Silence after which the hub is probed; at most a third of `heartbeatTimeoutMs`. Default 10,000. Node sends a WebSocket ping. A browser cannot: it sends the
   * hub a request it answers at once, or, towards a Python server, an empty text to itself, which nobody else sees.
   */
  readonly pingIntervalMs?: number;
  /** Time for the socket to open. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /**
   * Time for the answer to the login. A server that sends none in time is taken for an old one, not for a failure
   * (wire facts 9.2). Default 10,000.
   */
  readonly loginTimeoutMs?: number;
  /** How a lost connection is made anew; `false`: not at all. */
  readonly reconnect?: false | ReconnectOptions;
  /** Messages that wait for a connection, at most. Default 1,000. */
  readonly queueMaxMessages?: number;
  /**
   * Bytes of messages that wait for a connection, and bytes that a live socket may hold unsent; beyond either
   * `sendMessage` fails with `CC_QUEUE_FULL`. Default 16 MiB.
   */
  readonly queueMaxBytes?: number;
  /** Largest message this client wants to receive; announced to the hub. Default 1 MiB. */
  readonly maxMessageBytes?: number;
  /**
   * Received messages that wait for their listeners, at most; beyond it the client stops reading (where the platform
   * can: in Node) until half of them are done, and the hub's limits for slow receivers apply. Default 1,000.
   */
  readonly inboundMaxMessages?: number;
  /** Senders whose messages are handled at the same time. One sender's messages always run one after another. Default 64. */
  readonly listenerConcurrency?: number;
  /** Makes the socket instead of the platform's own, e.g. `(url) => new WebSocket(url)`. Such a socket is not pinged or paused. */
  readonly webSocket?: WebSocketFactory;
  /** Where problems go that no `onError` handler takes. Default: the console. */
  readonly logger?: ClientLogger;
  /** Random numbers in [0, 1) for the reconnect delays. Default `Math.random`. */
  readonly random?: () => number;
  /** The time in timestamps and message ids. Default `Date`. */
  readonly clock?: Clock;
}

/** The defaults of {@link ClientOptions}. */
export const CLIENT_DEFAULTS = {
  ip: 'localhost',
  port: 9898,
  heartbeatIntervalMs: 30_000,
  heartbeatTimeoutMs: 30_000,
  pingIntervalMs: 10_000,
  connectTimeoutMs: 10_000,
  loginTimeoutMs: 10_000,
  queueMaxMessages: 1_000,
  queueMaxBytes: 16 * 1_048_576,
  maxMessageBytes: PROTOCOL_LIMITS.maxMessageBytes,
  inboundMaxMessages: 1_000,
  listenerConcurrency: 64,
} as const;

type Numbers = { readonly [Name in Exclude<keyof typeof CLIENT_DEFAULTS, 'ip' | 'port'>]: number };

/** The options with all defaults applied. */
export interface ClientSettings extends Numbers {
  readonly url: HubUrl;
  readonly clientId: string;
  readonly reconnect: false | ReconnectPolicy;
  readonly logger: ClientLogger;
  readonly random: () => number;
  readonly clock: Clock;
}

/**
 * Applies the defaults and checks.
 * @throws CrossCommError `CC_INVALID_OPTION`, `CC_INVALID_CLIENT_ID`
 */
export function resolveClientOptions(options: ClientOptions, defaultClientId: () => string): ClientSettings {
  const { ip, port, ...numbers } = CLIENT_DEFAULTS;
  const limits = { ...numbers } as { -readonly [Name in keyof Numbers]: number };
  for (const name of Object.keys(numbers) as (keyof Numbers)[]) {
    const value = options[name] ?? numbers[name];
    if (!(value >= 1)) throw new CrossCommError('CC_INVALID_OPTION', `${name} is ${String(value)}; give a number of at least 1.`);
    if (name.endsWith('Ms') && value > MAX_TIMER_MS) throw new CrossCommError('CC_INVALID_OPTION', `${name} is longer than a timer can wait.`);
    limits[name] = value;
  }
  // at least two probes before the verdict
  limits.pingIntervalMs = Math.min(limits.pingIntervalMs, limits.heartbeatTimeoutMs / 3);
  if (limits.maxMessageBytes < 1024) throw new CrossCommError('CC_INVALID_OPTION', 'maxMessageBytes is less than 1,024.');
  return {
    ...limits,
    url: options.url ?? hubUrl(options.ip ?? ip, options.port ?? port),
    clientId: assertClientId(options.clientId ?? defaultClientId()),
    reconnect: options.reconnect === false ? false : { ...RECONNECT_DEFAULTS, ...options.reconnect },
    logger: options.logger ?? consoleLogger,
    random: options.random ?? Math.random,
    clock: options.clock ?? Date,
  };
}

/** `id:secret@host` may stand for the host, as the Python client allows; a bare IPv6 address gets its brackets. */
function hubUrl(ip: string, port: number): string {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new CrossCommError('CC_INVALID_OPTION', `port is ${String(port)}; give 1 to 65535.`);
  const isBareIpv6 = /^[0-9a-f]*:[0-9a-f:.]*$/i.test(ip) && ip.split(':').length > 2;
  return `ws://${isBareIpv6 ? `[${ip}]` : ip}:${port}`;
}
