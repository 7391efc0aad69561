/**
 * Every failure CrossComm can report, by its stable code.
 *
 * A code never changes its meaning and is never reused. The text is the default message; it says what happened and
 * ends in the remedy. `retryable` tells a program whether the same call may succeed later without being changed.
 */
export const ERROR_CODES = {
  CC_INVALID_FRAME: { retryable: false, text: 'The frame is not one JSON object in UTF-8. Send one JSON object per frame.' },
  CC_INVALID_ENVELOPE: { retryable: false, text: 'The envelope is malformed. Send the seven keys of PROTOCOL.md, section Envelope.' },
  CC_UNKNOWN_KEY: { retryable: false, text: 'The envelope has a top-level key that old receivers refuse. Put extensions inside content.' },
  CC_UNKNOWN_TYPE: { retryable: false, text: 'The msg_type is not known. Use one of the types of PROTOCOL.md, section Message types.' },
  CC_TYPE_NOT_ALLOWED: { retryable: false, text: 'This msg_type is sent by the hub only. Use a user message type.' },
  CC_TOO_LARGE: { retryable: false, text: 'The message is larger than the limit. Send it as a file, or raise maxMessageBytes.' },
  CC_TOO_DEEP: { retryable: false, text: 'The content is nested deeper than the limit. Flatten it, or raise maxNestingDepth.' },
  CC_INVALID_CLIENT_ID: { retryable: false, text: 'The client id is not valid. Use 1 to 256 bytes without control characters, not "all" or "server".' },
  CC_NOT_LOGGED_IN: { retryable: false, text: 'The connection is not logged in. Send login first.' },
  CC_IDENTITY_MISMATCH: { retryable: false, text: 'from_client_id is not the id this connection logged in with. Use your own id, or log in again.' },
  CC_ALREADY_ONLINE: { retryable: true, text: 'A client with this id is online and takeover is off. Use another id, or wait until it leaves.' },
  CC_LOGIN_TIMEOUT: { retryable: true, text: 'No login arrived in time. Send login right after connecting.' },
  CC_REPLACED: { retryable: false, text: 'A newer login with the same id took over. Give every program an id of its own.' },
  CC_HEARTBEAT_TIMEOUT: { retryable: true, text: 'Nothing was heard from the client for heartbeatTimeout seconds. Log in again and send heartbeats more often.' },
  CC_SLOW_RECEIVER: { retryable: true, text: 'The client does not read what is sent to it. Read faster, or raise maxBufferedBytes.' },
  CC_DISCONNECTED: { retryable: false, text: 'The hub ended this connection on purpose. Ask the operator for the reason.' },
  CC_UNKNOWN_CLIENT: { retryable: true, text: 'No client with this id is online. Check the id, or send again when it is back.' },
  CC_RECEIVER_LIMIT: { retryable: false, text: 'The receiver does not accept messages of this size. Send it as a file.' },
  CC_NOT_CONNECTED: { retryable: true, text: 'The client is not connected. Call login() first, or wait for status "online".' },
  CC_CONNECT_FAILED: { retryable: true, text: 'The hub could not be reached. Check address and port, and that the hub is running.' },
  CC_QUEUE_FULL: { retryable: true, text: 'The queue of unsent messages is full. Wait for the connection, or raise queueMaxMessages / queueMaxBytes.' },
  CC_LOGIN_REFUSED: { retryable: false, text: 'The hub refused the login. Read the details for the reason.' },
  CC_RATE_LIMITED: { retryable: true, text: 'Too much came in too short a time. Wait for retry_after seconds, then send less at once.' },
  CC_AUTH_FAILED: { retryable: false, text: 'The hub does not accept this client id with these credentials. Give the token that belongs to the id.' },
  CC_INVALID_CONTENT: { retryable: false, text: 'The content does not fit its message type. See PROTOCOL.md, section Content.' },
  CC_INVALID_OPTION: { retryable: false, text: 'An option is not valid. Correct it as the details say.' },
  CC_INVALID_LISTENER: { retryable: false, text: 'A @MessageListener is used wrongly. Correct it as the details say.' },
  CC_TIMEOUT: { retryable: true, text: 'No answer came in time. Try again, or raise the time-out.' },
  CC_ABORTED: { retryable: true, text: 'The operation was aborted by its caller. Start it again when it is wanted.' },
  CC_CLOSED: { retryable: false, text: 'The client was closed with logout(). Create a new one, or call login() again.' },
  CC_UNSUPPORTED: { retryable: false, text: 'The other side does not support this. Upgrade it, or use what protocol 1 offers.' },
  CC_UNKNOWN_ACTION: { retryable: false, text: 'The hub has no such action. See PROTOCOL.md, section Requests.' },
  CC_UNSAFE_PATH: { retryable: false, text: 'The name or key would leave its directory. Use a relative path without "..", drive letters or reserved names.' },
  CC_FILE_NOT_FOUND: { retryable: false, text: 'The file or folder does not exist. Check the path or the key.' },
  CC_STORAGE_DENIED: { retryable: false, text: 'The file storage refused the operation. Check keys, bucket and rights.' },
  CC_STORAGE_FAILED: { retryable: true, text: 'The file storage failed. Try again; if it stays so, check its address and free space.' },
  CC_STORAGE_MISSING: { retryable: false, text: 'The storage driver is not installed. Run: npm install ali-oss' },
  CC_CHECKSUM_MISMATCH: { retryable: true, text: 'The transferred bytes do not match their checksum. Transfer the file again.' },
  CC_ATTACH_FAILED: { retryable: false, text: 'The hub could not be attached to an HTTP server. Give it a port: CrossCommModule.forRoot({ port: 9898 }).' },
  CC_SHUTTING_DOWN: { retryable: true, text: 'The hub is shutting down. Connect again in a moment.' },
  CC_INTERNAL: { retryable: true, text: 'The hub failed inside. Report it with the log lines of that moment.' },
} as const satisfies Record<string, { retryable: boolean; text: string }>;

/** One of the stable codes, e.g. `CC_TOO_LARGE`. */
export type ErrorCode = keyof typeof ERROR_CODES;
