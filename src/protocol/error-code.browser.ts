import type { ErrorCode } from './error-code.js';

type Entry = { readonly retryable: boolean; readonly text: string };
const final = (text: string): Entry => ({ retryable: false, text });
const passing = (text: string): Entry => ({ retryable: true, text });

/** What arrives from a hub with its text, and what is raised with a detail that says what to do, or is tried again anyway. */
const FINAL = final('');
const PASSING = passing('');
/** A frame that another program sent wrongly; the page can do nothing about it. */
const BAD_FRAME = final('Correct its sender.');
const BAD_TYPE = final('Use CommMsgType.');
const BAD_ID = final('Use another id.');
const OFFLINE = 'Call login() first.';
const BAD_KEY = final('Check the key.');

/**
 * The codes of `error-code.ts` as a browser's bundle has them; the field `browser` of package.json puts this file in
 * the other's place. Its texts are shorter, and only for what the SDK raises in a browser. The order is the one that compresses best.
 */
export const ERROR_CODES: Readonly<Record<ErrorCode, Entry>> = {
  CC_AUTH_FAILED: FINAL,
  CC_ATTACH_FAILED: FINAL,
  CC_HANDLER_FAILED: FINAL,
  CC_NO_HANDLER: FINAL,
  CC_EXPIRED: FINAL,
  CC_LOGIN_REFUSED: FINAL,
  CC_NOT_LOGGED_IN: FINAL,
  CC_INVALID_OPTION: FINAL,
  CC_INVALID_LISTENER: FINAL,
  CC_UNKNOWN_ACTION: FINAL,
  CC_IDENTITY_MISMATCH: FINAL,
  CC_UNSAFE_PATH: FINAL,
  CC_UNSUPPORTED: FINAL,
  CC_NOT_ALLOWED: FINAL,
  CC_STORAGE_MISSING: FINAL,
  CC_INVALID_CONTENT: FINAL,
  CC_RECEIVER_LIMIT: FINAL,
  CC_DELIVERY_UNKNOWN: FINAL,
  CC_DEAD_LETTER: FINAL,
  CC_UNKNOWN_CLIENT: PASSING,
  CC_UNKNOWN_GROUP: PASSING,
  CC_CHECKSUM_MISMATCH: PASSING,
  CC_STORE_FAILED: PASSING,
  CC_SLOW_RECEIVER: PASSING,
  CC_LIMIT_REACHED: PASSING,
  CC_SHUTTING_DOWN: PASSING,
  CC_LOGIN_TIMEOUT: PASSING,
  CC_HEARTBEAT_TIMEOUT: PASSING,
  CC_RATE_LIMITED: PASSING,
  CC_ABORTED: PASSING,
  CC_INTERNAL: PASSING,
  CC_STORE_FULL: PASSING,
  CC_MAILBOX_FULL: PASSING,
  CC_DATA_DIR_IN_USE: PASSING,
  CC_ALREADY_ONLINE: PASSING,
  CC_TYPE_NOT_ALLOWED: BAD_TYPE,
  CC_UNKNOWN_TYPE: BAD_TYPE,
  CC_UNKNOWN_KEY: BAD_FRAME,
  CC_INVALID_ENVELOPE: BAD_FRAME,
  CC_INVALID_FRAME: BAD_FRAME,
  CC_TOO_DEEP: BAD_FRAME,
  CC_INVALID_CLIENT_ID: BAD_ID,
  CC_REPLACED: BAD_ID,
  CC_DISCONNECTED: final('Ask its operator.'),
  CC_TOO_LARGE: final('Send it as a file.'),
  CC_CONNECT_FAILED: passing('Check url and allowedOrigins.'),
  CC_CLOSED: final(OFFLINE),
  CC_NOT_CONNECTED: passing(OFFLINE),
  CC_FILE_NOT_FOUND: BAD_KEY,
  CC_STORAGE_DENIED: BAD_KEY,
  CC_STORAGE_FAILED: passing('Try again.'),
  CC_TIMEOUT: passing('Try again.'),
  CC_QUEUE_FULL: passing('Wait, or raise queueMaxBytes.'),
};
