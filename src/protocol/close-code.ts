import type { ErrorCode } from './error-code.js';

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
  /** An operator or the application called `disconnectClient`. */
  DISCONNECTED: 4000,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** What one of our close codes means for a client: the error to report and whether connecting again makes sense. */
export const CLOSE_MEANINGS: Readonly<Record<CloseCode, { readonly error: ErrorCode; readonly reconnect: boolean }>> = {
  [CloseCode.INVALID_DATA]: { error: 'CC_INVALID_FRAME', reconnect: true },
  [CloseCode.TOO_LARGE]: { error: 'CC_TOO_LARGE', reconnect: true },
  [CloseCode.RESTART]: { error: 'CC_SHUTTING_DOWN', reconnect: true },
  [CloseCode.LOGIN_TIMEOUT]: { error: 'CC_LOGIN_TIMEOUT', reconnect: true },
  [CloseCode.LOGIN_REFUSED]: { error: 'CC_LOGIN_REFUSED', reconnect: false },
  [CloseCode.HEARTBEAT_TIMEOUT]: { error: 'CC_HEARTBEAT_TIMEOUT', reconnect: true },
  [CloseCode.REPLACED]: { error: 'CC_REPLACED', reconnect: false },
  [CloseCode.SLOW_RECEIVER]: { error: 'CC_SLOW_RECEIVER', reconnect: true },
  [CloseCode.DISCONNECTED]: { error: 'CC_DISCONNECTED', reconnect: false },
};
