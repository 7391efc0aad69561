export { ERROR_CODES, type ErrorCode } from './error-code.js';
export { CrossCommError, type CrossCommErrorInit, type WireError } from './cross-comm.error.js';
export { CloseCode, CLOSE_MEANINGS, type CloseMeaning } from './close-code.js';
export {
  CommMsgType,
  USER_MESSAGE_TYPES,
  ATTACHMENT_TYPES,
  isAttachmentType,
  roleOf,
  type AttachmentType,
  type MessageRole,
  type UserMessageType,
} from './message-type.js';
export { PROTOCOL_LIMITS } from './limits.js';
export { BROADCAST_ID, GROUP_PREFIX, SERVER_ID, assertClientId, clientIdProblem, utf8ByteLength } from './client-id.js';
export {
  assertRelativePath,
  clientKeyPrefix,
  fileObjectKey,
  folderObjectPrefix,
  relativePathProblem,
  type KeyStamp,
} from './object-key.js';
export { assertGroupName, groupNameProblem, groupOf, targetProblem } from './target.js';
export {
  RECEIPTS,
  parseConfirm,
  readDeliveryRequest,
  type AckContent,
  type ConfirmContent,
  type DeliveryRequest,
  type Receipt,
  type Rejection,
} from './delivery.js';
export type { EventContent, PresenceEventContent } from './event.js';
export type { Envelope } from './envelope.js';
export { decodeEnvelope, encodeEnvelope, type DecodeOptions } from './codec.js';
export type { Permissions } from './permissions.js';
export { quoted } from './quoted-text.js';
export { parsePythonJson } from './python-json.js';
export { removeTopLevelMember } from './top-level-members.js';
export { decodeBase64Leniently, encodeBase64 } from './base64.js';
export { fromWireContent, toWireContent } from './content.js';
export { MAX_MSG_ID_LENGTH, messageId } from './message-id.js';
export {
  listRequestContent,
  listResponseContent,
  parseListRequest,
  parseListResponse,
  type ListedClient,
  type ReadClientList,
  type WireClient,
} from './client-list.js';
export {
  FEATURES,
  PROTOCOL_VERSION,
  loginContent,
  loginErrorContent,
  loginSuccessContent,
  loginToken,
  parseAnnouncement,
  parseLoginAnswer,
  type Announcement,
  type Feature,
  type LastWill,
  type LoginAnswer,
  type MailPosition,
  type MailWelcome,
  type Welcome,
} from './handshake.js';
export {
  parseRequest,
  replyTo,
  type CancelContent,
  type ErrorContent,
  type RequestContent,
  type ResponseContent,
} from './request.js';
export {
  PeerAction,
  type GroupListResult,
  type JoinData,
  type JoinResult,
  type MembersResult,
  type ResendData,
  type WatchData,
  type WatchResult,
  type WireClientPresence,
  type WireGroupMember,
} from './peer-action.js';
export {
  FileAction,
  type CompleteData,
  type KeyData,
  type ListData,
  type ListResult,
  type MultipartData,
  type MultipartStarted,
  type NewKeyData,
  type NewKeyResult,
  type PartList,
  type SignData,
  type SignRequest,
  type SignResult,
  type WireObject,
  type WirePart,
} from './file-action.js';
export {
  MESSAGE_LISTENER_KEY,
  MessageListener,
  listenerFilter,
  passesFilter,
  readListenerFilters,
  type ListenerFilter,
  type MessageListenerOptions,
} from './message-listener.decorator.js';
export { REQUEST_HANDLER_KEY, RequestHandler, assertRequestAction, readRequestActions } from './request-handler.decorator.js';
export type { Message } from './message.js';
