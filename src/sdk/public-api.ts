export type { ClientOptions, ClientWill, HubUrl } from './client.options.js';
export type { ReconnectOptions } from './reconnect-policy.js';
export type { ClientStatus } from './client-status.js';
export type { ClientProblem, ProblemHandler } from './client-problem.js';
export type { ClientLogger } from './logger.js';
export type { ClientList, ListClientsOptions } from './client-list-requests.js';
export type { CallOptions } from './deadline.js';
export type { Clock } from './frame-writer.js';
export type { FileProgress, ProgressHandler } from './client-files.js';
export type { LoginOptions, MessageFilter } from './cross-comm-client.js';
export type { MailRecovery } from './mail-receiver.js';
export type { GroupMember, JoinedGroup, JoinOptions } from './groups.js';
export type { PresenceEvent, PresenceHandler, WatchTargets } from './presence-watches.js';
export type { RequestContext, RequestFunction } from './request-handlers.js';
export type { RejectOptions } from './mail-item.js';
export type { ConfirmableMessage } from './message-handlers.js';
export type { SendOptions, SentMessage } from './send-message.js';
export type { WebSocketFactory, WebSocketLike } from './transports/web-socket.transport.js';
export {
  BROADCAST_ID,
  CLOSE_MEANINGS,
  CloseCode,
  CommMsgType,
  CrossCommError,
  MessageListener,
  RequestHandler,
  type Envelope,
  type ErrorCode,
  type ListedClient,
  type Message,
  type MessageListenerOptions,
  type Receipt,
} from '../protocol/index.js';
