import { CrossCommError, PROTOCOL_LIMITS, assertClientId, isAttachmentType, utf8ByteLength, type CommMsgType, type LastWill } from '../protocol/index.js';
import { MAX_TIMER_MS } from './deadline.js';
import type { Clock } from './frame-writer.js';
import type { ClientLogger } from './logger.js';
import { assertSendable, wireContent } from './send-message.js';
import { RECONNECT_DEFAULTS, type ReconnectOptions, type ReconnectPolicy } from './reconnect-policy.js';
import type { WebSocketFactory } from './transports/web-socket.transport.js';

/** A text, or a function that is asked before each connection. */
export type Asked = string | (() => string | Promise<string>);

/** An address, or a function that is asked before each connection. */
export type HubUrl = Asked;

/** A message for the case that its sender disappears. Sent live; not with a takeover by the same id or a hub that stops. */
export interface ClientWill {
  /** A client's id, `"all"`, or `group:` and a name. */
  readonly toClientId: string;
  /** As for `sendMessage`, but no file, image or folder. */
  readonly msgType: CommMsgType;
  readonly content: unknown;
}

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
  /**
   * Proves that the id is this client's, where the hub wants a token. As text; or a function, which is asked at each
   * login and again before the login ends: the connection then stays. When it fails there it is asked again, and at last the
   * hub ends the login; `onError` is told. Default none.
   */
  readonly token?: Asked;
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
   * (wire facts 9.2), unless it answered this client before. Default 10,000.
   */
  readonly loginTimeoutMs?: number;
  /** How a lost connection is made anew; `false`: not at all. */
  readonly reconnect?: false | ReconnectOptions;
  /** Messages that wait for a connection, for the hub's answer or for the receipt that was asked for, at most. Default 10,000. */
  readonly queueMaxMessages?: number;
  /**
   * Bytes of these messages, and bytes that a live socket may hold unsent; beyond either `sendMessage` fails with
   * `CC_QUEUE_FULL`. Default 16 MiB.
   */
  readonly queueMaxBytes?: number;
  /**
   * Time after its first sending in which a durable message is sent again on a new connection. One that is older and has
   * not got its receipt fails with `CC_DELIVERY_UNKNOWN`, because the hub may have forgotten it and would deliver it
   * twice; so at most half of the time that the hub remembers. Counted by `performance.now()`, which on
   * some systems stands still while the machine sleeps. Default 12 h.
   */
  readonly resendMaxAgeMs?: number;
  /** Largest message this client wants to receive; announced to the hub. Default 1 MiB. */
  readonly maxMessageBytes?: number;
  /**
   * Received messages that wait for their listeners, at most; beyond it the client stops reading (where the platform
   * can: in Node) until half of them are done, and the hub's limits for slow receivers apply. Default 1,000.
   */
  readonly inboundMaxMessages?: number;
  /**
   * Whether the hub keeps mail for this client: durable messages to it wait while it is away. Say false for ids that
   * do not come back; such a client gets durable messages only while it is online. Default true.
   */
  readonly mailbox?: boolean;
  /** Durable messages that the hub may have sent to this client before it has confirmed the first of them. Default 256. */
  readonly maxUnconfirmed?: number;
  /** A message that the hub sends on behalf of this client when it disappears without a logout. At most 2 KiB. Default none. */
  readonly will?: ClientWill;
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
const CLIENT_DEFAULTS = {
  ip: 'localhost',
  port: 9898,
  heartbeatIntervalMs: 30_000,
  heartbeatTimeoutMs: 30_000,
  pingIntervalMs: 10_000,
  connectTimeoutMs: 10_000,
  loginTimeoutMs: 10_000,
  queueMaxMessages: 10_000,
  queueMaxBytes: 16 * 1_048_576,
  resendMaxAgeMs: 43_200_000,
  maxMessageBytes: PROTOCOL_LIMITS.maxMessageBytes,
  inboundMaxMessages: 1_000,
  maxUnconfirmed: PROTOCOL_LIMITS.maxUnconfirmed,
  listenerConcurrency: 64,
} as const;

const MAX_WILL_BYTES = 2_048;

type Numbers = { readonly [Name in Exclude<keyof typeof CLIENT_DEFAULTS, 'ip' | 'port'>]: number };

/** The options with all defaults applied. */
export interface ClientSettings extends Numbers {
  readonly url: HubUrl;
  readonly token: Asked | undefined;
  readonly mailbox: boolean;
  readonly will: LastWill | undefined;
  readonly clientId: string;
  readonly reconnect: false | ReconnectPolicy;
  readonly logger: ClientLogger;
  readonly random: () => number;
  readonly clock: Clock;
}

/**
 * Applies the defaults and checks.
 * @throws CrossCommError `CC_INVALID_OPTION`, `CC_INVALID_CLIENT_ID`; for a will also what `sendMessage` fails with
 */
export function resolveClientOptions(options: ClientOptions, defaultClientId: () => string): ClientSettings {
  const { ip, port, ...numbers } = CLIENT_DEFAULTS;
  const limits = withDefaults<keyof Numbers>(numbers, options, 1);
  within('maxMessageBytes', limits.maxMessageBytes, [1024, Infinity]);
  // at least two probes before the verdict
  limits.pingIntervalMs = Math.min(limits.pingIntervalMs, limits.heartbeatTimeoutMs / 3);
  return {
    ...limits,
    url: options.url ?? hubUrl(options.ip ?? ip, options.port ?? port),
    token: options.token,
    mailbox: options.mailbox ?? true,
    will: options.will && lastWill(options.will),
    clientId: assertClientId(options.clientId ?? defaultClientId()),
    reconnect: options.reconnect === false ? false : withDefaults(RECONNECT_DEFAULTS, options.reconnect ?? {}, 0),
    logger: options.logger ?? console,
    random: options.random ?? Math.random,
    clock: options.clock ?? Date,
  };
}

/** Takes the numbers of `defaults` from `given` where they are there, none of them less than `min`. */
function withDefaults<Name extends string>(defaults: Readonly<Record<Name, number>>, given: { readonly [Key in Name]?: number }, min: number): Record<Name, number> {
  const numbers: Record<Name, number> = { ...defaults };
  for (const name of Object.keys(defaults) as Name[])
    numbers[name] = within(name, given[name] ?? defaults[name], [min, name.endsWith('Ms') ? MAX_TIMER_MS : Infinity]);
  return numbers;
}

function lastWill({ toClientId, msgType, content }: ClientWill): LastWill {
  assertSendable(msgType, toClientId);
  const will = { toClientId, msgType, content: wireContent(msgType, content) };
  // the whole login has to fit into 4 KiB
  if (isAttachmentType(msgType) || utf8ByteLength(JSON.stringify(will)) > MAX_WILL_BYTES)
    throw new CrossCommError('CC_INVALID_OPTION', `The will is a file, or larger than ${MAX_WILL_BYTES} bytes.`);
  return will;
}

/** `id:secret@host` may stand for the host, as the Python client allows; a bare IPv6 address gets its brackets. */
function hubUrl(ip: string, port: number): string {
  const isBareIpv6 = /^[0-9a-f.]*(:[0-9a-f.]*){2,}$/i.test(ip);
  return `ws://${isBareIpv6 ? `[${ip}]` : ip}:${within('port', port, [1, 65_535])}`;
}

function within(name: string, value: number, [min, max]: readonly [number, number]): number {
  if (value >= min && value <= max) return value;
  throw new CrossCommError('CC_INVALID_OPTION', `${name} is ${value}; give ${min} to ${max}.`);
}
