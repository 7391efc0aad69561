import { CrossCommError, type WireError } from './cross-comm.error.js';
import { PROTOCOL_LIMITS } from './limits.js';
import { roleOf, type UserMessageType } from './message-type.js';
import { targetProblem } from './target.js';

/** The protocol this package speaks when both sides announce it. 1 is the seven-key wire of the Python system. */
export const PROTOCOL_VERSION = 2;

/** Capabilities that may be announced; unknown ones are ignored by either side. */
export const FEATURES = ['errors', 'ext', 'requests', 'files', 'acks', 'mailbox', 'calls', 'events'] as const;
export type Feature = (typeof FEATURES)[number];

/** What a client says of itself inside `login.content.cross_comm`. */
export interface Announcement {
  readonly protocol: number;
  readonly features: readonly string[];
  /** Largest message the client can receive, in bytes. Default 1,048,576. */
  readonly maxMessageBytes: number;
  /** Messages of its mailbox that may be unconfirmed at a time. Default 256. */
  readonly maxUnconfirmed?: number;
  /** Where the client's mail was left off. */
  readonly resume?: MailPosition | undefined;
  /** What the hub sends on the client's behalf should it leave without a logout. */
  readonly will?: LastWill | undefined;
}

/** A place in a mailbox: everything up to it has been processed. */
export interface MailPosition {
  /** Names the life of the hub's store; another one when messages may have been lost. */
  readonly epoch: string;
  /** Number of the last message, 0 before the first. */
  readonly seq: number;
}

/** A message that the hub sends when its author disappears. Routed like any message of the client, live. */
export interface LastWill {
  /** A client id, `"all"` or `group:` and a name. */
  readonly toClientId: string;
  readonly msgType: UserMessageType;
  /** As it travels, see PROTOCOL.md, section Content. */
  readonly content: unknown;
}

/** What the hub says about a client's mailbox. */
export interface MailWelcome extends MailPosition {
  /** False: the position the client gave is not known here, messages may be missing. True also when it gave none. */
  readonly recovered: boolean;
  /** Messages that wait in the mailbox. */
  readonly pending: number;
}

/** What the hub answers inside `login_response.content.cross_comm`. */
export interface Welcome {
  readonly protocol: number;
  /** Names this login; changes with each one. */
  readonly session: string;
  readonly features: readonly string[];
  readonly limits: {
    readonly maxMessageBytes: number;
    readonly maxNestingDepth: number;
    /** Durable messages that may wait for their ack; the hub does not read a client that sends more. */
    readonly maxUnacked: number;
    /** The same in bytes. */
    readonly maxUnackedBytes: number;
    /** How long the hub knows a message that is sent once more. */
    readonly duplicateWindowMs: number;
  };
  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
  /** Time until the login ends, unless it is refreshed; absent: it has no end. */
  readonly expiresInMs?: number | undefined;
  /** Only for clients that announced `mailbox`, and only where there is a store. */
  readonly mail?: MailWelcome | undefined;
}

/** The outcome of a login as its answer tells it; `welcome` is absent from servers that speak protocol 1 only. */
export type LoginAnswer =
  | { readonly status: 'success'; readonly welcome: Welcome | undefined }
  | { readonly status: 'error'; readonly error: CrossCommError };

/** Content of an announcing login. @param token proves who it is, where the hub wants that */
export function loginContent({ protocol, features, maxMessageBytes, maxUnconfirmed, resume, will }: Announcement, token?: string): unknown {
  return {
    // JSON leaves out what is undefined
    cross_comm: {
      protocol,
      features,
      limits: { max_message_bytes: maxMessageBytes, max_unconfirmed: maxUnconfirmed },
      token,
      resume,
      will: will && { to_client_id: will.toClientId, msg_type: will.msgType, content: will.content },
    },
  };
}

/**
 * Reads the announcement out of a login's content; `undefined` for clients that announce nothing (whatever else their
 * content holds) or announce protocol 1.
 * @throws CrossCommError `CC_INVALID_ENVELOPE` when there is an announcement but it cannot be read
 */
export function parseAnnouncement(content: unknown): Announcement | undefined {
  const given = member(content, 'cross_comm');
  if (given === undefined) return undefined;
  const protocol = member(given, 'protocol');
  if (typeof protocol !== 'number' || !Number.isInteger(protocol) || protocol < 1)
    throw new CrossCommError('CC_INVALID_ENVELOPE', 'cross_comm.protocol is not a positive integer.');
  if (protocol < PROTOCOL_VERSION) return undefined;
  const features = member(given, 'features') ?? [];
  if (!Array.isArray(features) || !features.every((feature) => typeof feature === 'string'))
    throw new CrossCommError('CC_INVALID_ENVELOPE', 'cross_comm.features is not a list of strings.');
  const bytes = member(member(given, 'limits'), 'max_message_bytes') ?? PROTOCOL_LIMITS.maxMessageBytes;
  if (typeof bytes !== 'number' || !Number.isInteger(bytes) || bytes < 1024)
    throw new CrossCommError('CC_INVALID_ENVELOPE', 'cross_comm.limits.max_message_bytes is not an integer of at least 1,024.');
  const maxUnconfirmed = member(member(given, 'limits'), 'max_unconfirmed');
  if (maxUnconfirmed !== undefined && !isCount(maxUnconfirmed, 1))
    throw new CrossCommError('CC_INVALID_ENVELOPE', 'cross_comm.limits.max_unconfirmed is not a positive integer.');
  const resume = parseResume(member(given, 'resume') ?? undefined);
  const will = parseWill(member(given, 'will') ?? undefined);
  return { protocol: PROTOCOL_VERSION, features, maxMessageBytes: bytes, ...(maxUnconfirmed && { maxUnconfirmed }), ...(resume && { resume }), ...(will && { will }) };
}

function parseResume(given: unknown): MailPosition | undefined {
  if (given === undefined) return undefined;
  const epoch = member(given, 'epoch');
  const seq = member(given, 'seq');
  if (typeof epoch !== 'string' || !isCount(seq, 0)) throw new CrossCommError('CC_INVALID_ENVELOPE', 'cross_comm.resume is not {"epoch": string, "seq": integer}.');
  return { epoch, seq };
}

function parseWill(given: unknown): LastWill | undefined {
  if (given === undefined) return undefined;
  const toClientId = member(given, 'to_client_id');
  const msgType = member(given, 'msg_type');
  if (typeof toClientId !== 'string' || targetProblem(toClientId) !== undefined || typeof msgType !== 'string' || roleOf(msgType) !== 'user')
    throw new CrossCommError('CC_INVALID_ENVELOPE', 'cross_comm.will is not {"to_client_id", "msg_type", "content"} with a type that users send.');
  return { toClientId, msgType: msgType as UserMessageType, content: member(given, 'content') ?? null };
}

function isCount(value: unknown, least: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

/**
 * The token of a login; undefined when there is none.
 * @throws CrossCommError `CC_INVALID_ENVELOPE` when it is not a string
 */
export function loginToken(content: unknown): string | undefined {
  const token = member(member(content, 'cross_comm'), 'token');
  if (token === undefined || token === null || typeof token === 'string') return token ?? undefined;
  throw new CrossCommError('CC_INVALID_ENVELOPE', 'cross_comm.token is not a string.');
}

/** Content of a successful login_response: exactly `{"status":"success"}` for clients that announced nothing. */
export function loginSuccessContent(welcome: Welcome | undefined): unknown {
  if (welcome === undefined) return { status: 'success' };
  return {
    status: 'success',
    cross_comm: {
      protocol: welcome.protocol,
      session: welcome.session,
      features: welcome.features,
      limits: {
        max_message_bytes: welcome.limits.maxMessageBytes,
        max_nesting_depth: welcome.limits.maxNestingDepth,
        max_unacked: welcome.limits.maxUnacked,
        max_unacked_bytes: welcome.limits.maxUnackedBytes,
        duplicate_window: welcome.limits.duplicateWindowMs / 1000,
      },
      heartbeat_interval: welcome.heartbeatIntervalMs / 1000,
      heartbeat_timeout: welcome.heartbeatTimeoutMs / 1000,
      expires_in: welcome.expiresInMs === undefined ? undefined : welcome.expiresInMs / 1000,
      mail: welcome.mail,
    },
  };
}

/** Content of a refused login_response; only for clients that announced protocol 2. */
export function loginErrorContent(error: WireError): unknown {
  return { status: 'error', ...error };
}

/** Reads a login_response of our hub or of a Python server. */
export function parseLoginAnswer(content: unknown): LoginAnswer {
  const { status, cross_comm: given } = (content ?? {}) as { readonly status?: unknown; readonly cross_comm?: Wire };
  if (status === 'error') return { status, error: CrossCommError.fromWire(content, 'CC_LOGIN_REFUSED') };
  const protocol: unknown = given?.protocol;
  if (typeof protocol !== 'number') return { status: 'success', welcome: undefined };
  const features: unknown = given?.features;
  const limits = given?.limits;
  return {
    status: 'success',
    welcome: {
      protocol,
      session: (given?.session ?? '') as string,
      features: Array.isArray(features) ? features.map(String) : [],
      limits: {
        maxMessageBytes: positive(limits?.max_message_bytes, PROTOCOL_LIMITS.maxMessageBytes),
        maxNestingDepth: positive(limits?.max_nesting_depth, PROTOCOL_LIMITS.maxNestingDepth),
        maxUnacked: positive(limits?.max_unacked, PROTOCOL_LIMITS.maxUnacked),
        maxUnackedBytes: positive(limits?.max_unacked_bytes, PROTOCOL_LIMITS.maxUnackedBytes),
        duplicateWindowMs: positive(limits?.duplicate_window, 86_400) * 1000,
      },
      heartbeatIntervalMs: positive(given?.heartbeat_interval, 30) * 1000,
      heartbeatTimeoutMs: positive(given?.heartbeat_timeout, 60) * 1000,
      expiresInMs: positive(given?.expires_in, 0) * 1000 || undefined,
      ...readMail(given?.mail),
    },
  };
}

function readMail(given: Wire): { mail?: MailWelcome } {
  const epoch: unknown = given?.epoch;
  if (typeof epoch !== 'string') return {};
  return { mail: { epoch, seq: positive(given?.seq, 0), recovered: (given?.recovered as unknown) !== false, pending: positive(given?.pending, 0) } };
}

/** Whatever came: nothing is taken for granted. */
type Wire = { readonly [key: string]: Wire } | null | undefined;

function member(value: unknown, key: string): unknown {
  return (value as Readonly<Record<string, unknown>> | null | undefined)?.[key];
}

function positive(value: unknown, fallback: number): number {
  return typeof value === 'number' && value > 0 ? value : fallback;
}
