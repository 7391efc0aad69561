import { CrossCommError, MAX_MSG_ID_LENGTH, messageId, SERVER_ID, type CommMsgType, type ErrorContent, type ResponseContent } from '../protocol/index.js';
import type { Connection } from './connection.js';
import { OutboundMessage } from './outbound-message.js';
import { randomHex8 } from './random-hex.js';

const SESSION = randomHex8();

/** Unix seconds with fractions, as the Python side writes them. */
function nowSeconds(): number {
  return Date.now() / 1000;
}

/** A frame from the hub itself. */
export function fromServer(msgType: CommMsgType, toClientId: string, content: unknown): OutboundMessage {
  return new OutboundMessage({
    msgId: messageId(`${SERVER_ID}_${SESSION}`, Date.now(), randomHex8()),
    fromClientId: SERVER_ID,
    toClientId,
    msgType,
    content,
    timestamp: nowSeconds(),
    ossKey: null,
  });
}

/**
 * Tells a client that a frame of its was refused. Clients that announced nothing would not understand; for them the
 * hub stays silent, as the Python server does.
 */
export function sendError(connection: Connection, error: CrossCommError, replyTo: string | null): void {
  if (!connection.isAnnounced) return;
  // an id of a megabyte would make an answer that is too large to be sent
  const content: ErrorContent = { reply_to: replyTo !== null && replyTo.length <= MAX_MSG_ID_LENGTH ? replyTo : null, ...error.toWire() };
  connection.send(fromServer('error', connection.client?.clientId ?? '', content));
}

/** Answers a request; with an error when the answer is larger than the client can take. */
export function sendResponse(connection: Connection, replyTo: string, data: unknown): void {
  const content: ResponseContent = { reply_to: replyTo, data: data ?? null };
  const outcome = connection.send(fromServer('response', connection.client?.clientId ?? '', content));
  if (outcome === 'too-large') sendError(connection, new CrossCommError('CC_RECEIVER_LIMIT', 'The answer is too large.'), replyTo);
}
