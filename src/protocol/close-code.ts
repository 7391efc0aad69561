import { ERROR_CODES, type ErrorCode } from './error-code.js';

/**
 * WebSocket close codes the hub uses.
 *
 * 1000 and 1001 are never used towards clients: the Python client takes them for an orderly end of its loop and
 * stays "connected" for ever (wire facts 6). 1002, 1007 and 1009 are sent by the WebSocket library itself (RFC 6455).
 */
export const CloseCode = {
  /** The text was not valid UTF-8 (RFC 6455). */
  INVALID_DATA: 1007,
  /** A frame or message was larger than the limit (RFC 6455). */
  TOO_LARGE: 1009,
  /** The hub restarts; come back. */
  RESTART: 1012,
  /** No login within `loginTimeoutMs`. */
  LOGIN_TIMEOUT: 4001,
  /** The login was refused: id not valid, not allowed, or taken. */
  LOGIN_REFUSED: 4003,
  /** Silence longer than `heartbeatTimeoutMs`. */
  HEARTBEAT_TIMEOUT: 4008,
  /** A newer login with the same id took over. */
  REPLACED: 4009,
  /** The receiver does not read: its buffer passed `maxBufferedBytes`. */
  SLOW_RECEIVER: 4013,
  /** Too many logins from this address, too many frames before login, or faster than the message rate for too long. */
  RATE_LIMITED: 4029,
  /** The credentials of the login are not accepted, or were revoked. */
  AUTH_FAILED: 4401,
  /** An operator or the application called `disconnectClient`. */
  DISCONNECTED: 4000,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** What a close code means for a client: the error to report and whether connecting again makes sense. */
export interface CloseMeaning {
  readonly error: ErrorCode;
  readonly reconnect: boolean;
}

type CloseName = keyof typeof CloseCode;

/** Close codes whose error is called otherwise than themselves. */
const OTHER_NAMES = { INVALID_DATA: 'CC_INVALID_FRAME', RESTART: 'CC_SHUTTING_DOWN' } as const satisfies Partial<Record<CloseName, ErrorCode>>;

/**
 * What each of our close codes means. Its error has its name, but for {@link OTHER_NAMES}. A client comes back after a
 * code of RFC 6455, which is about one frame or one moment, and otherwise if its error may pass.
 */
export const CLOSE_MEANINGS = Object.fromEntries(
  Object.entries(CloseCode).map(([name, code]) => {
    const error: ErrorCode = (OTHER_NAMES as Partial<Record<string, ErrorCode>>)[name] ?? `CC_${name as Exclude<CloseName, keyof typeof OTHER_NAMES>}`;
    return [code, { error, reconnect: code < 4000 || ERROR_CODES[error].retryable }];
  }),
) as Readonly<Record<CloseCode, CloseMeaning>>;
