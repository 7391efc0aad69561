import { CrossCommError, type ErrorCode } from '../protocol/index.js';

/** What the process exits with. */
export const ExitCode = {
  OK: 0,
  /** Something failed that is none of the below. */
  FAILED: 1,
  /** The command line is wrong. */
  USAGE: 2,
  /** The hub could not be reached or went away. */
  UNREACHABLE: 3,
  /** The hub refused the login or the message. */
  REFUSED: 4,
  /** A file could not be read, written or transferred. */
  FILE: 5,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

const BY_ERROR: Partial<Record<ErrorCode, ExitCode>> = {
  CC_INVALID_OPTION: ExitCode.USAGE,
  CC_INVALID_CONTENT: ExitCode.USAGE,
  CC_INVALID_CLIENT_ID: ExitCode.USAGE,
  CC_CONNECT_FAILED: ExitCode.UNREACHABLE,
  CC_NOT_CONNECTED: ExitCode.UNREACHABLE,
  CC_TIMEOUT: ExitCode.UNREACHABLE,
  CC_SHUTTING_DOWN: ExitCode.UNREACHABLE,
  CC_LOGIN_REFUSED: ExitCode.REFUSED,
  CC_AUTH_FAILED: ExitCode.REFUSED,
  CC_RATE_LIMITED: ExitCode.REFUSED,
  CC_ALREADY_ONLINE: ExitCode.REFUSED,
  CC_REPLACED: ExitCode.REFUSED,
  CC_DISCONNECTED: ExitCode.REFUSED,
  CC_UNKNOWN_CLIENT: ExitCode.REFUSED,
  CC_UNKNOWN_GROUP: ExitCode.REFUSED,
  CC_NOT_ALLOWED: ExitCode.REFUSED,
  CC_MAILBOX_FULL: ExitCode.REFUSED,
  CC_STORE_FULL: ExitCode.REFUSED,
  CC_STORE_FAILED: ExitCode.REFUSED,
  CC_EXPIRED: ExitCode.REFUSED,
  CC_DEAD_LETTER: ExitCode.REFUSED,
  CC_RECEIVER_LIMIT: ExitCode.REFUSED,
  CC_TOO_LARGE: ExitCode.REFUSED,
  CC_FILE_NOT_FOUND: ExitCode.FILE,
  CC_UNSAFE_PATH: ExitCode.FILE,
  CC_STORAGE_DENIED: ExitCode.FILE,
  CC_STORAGE_FAILED: ExitCode.FILE,
  CC_STORAGE_MISSING: ExitCode.FILE,
  CC_CHECKSUM_MISMATCH: ExitCode.FILE,
};

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof CrossCommError ? (BY_ERROR[error.code] ?? ExitCode.FAILED) : ExitCode.FAILED;
}
