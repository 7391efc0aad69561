export { CrossCommModule } from './cross-comm.module.js';
export { CrossComm, type CrossCommRoleOptions, type MessageHandler } from './cross-comm.facade.js';
export { CROSS_COMM_OPTIONS, type CrossCommModuleExtras, type CrossCommOptionsFactory } from './cross-comm.module-definition.js';
export type { CrossCommOptions } from './cross-comm.options.js';
export { CrossCommGateway, CrossCommService, type ClientList, type GroupMemberInfo, type RequestOptions, type SendResult } from './gateway/index.js';
export {
  ClientRegistry,
  ConnectedClient,
  PresenceStore,
  type ClientEvent,
  type ClientInfo,
  type LeaveReason,
  type PresenceRecord,
} from './clients/index.js';
export {
  AnonymousAuthenticator,
  Authenticator,
  Authorizer,
  CertificateAuthenticator,
  CombinedAuthenticator,
  JwtAuthenticator,
  PermissionsAuthorizer,
  TokenAuthenticator,
  hashToken,
  type AccessRule,
  type AuthDecision,
  type AuthRequest,
  type AuthenticateFunction,
  type AuthorizedClient,
  type CertificateName,
  type JwtAlgorithm,
  type JwtOptions,
  type LoginFacts,
  type RefusalKind,
  type RevocationTarget,
  type TokenTable,
  type UpgradeRequest,
} from './security/index.js';
export type { RequestContext } from './listeners/index.js';
export {
  FileStorage,
  type GetOptions,
  type ListOptions,
  type ObjectInfo,
  type PartUpload,
  type PutOptions,
  type SignedUrlRequest,
  type StorageCallOptions,
  type UploadedPart,
} from './storage/index.js';
export {
  CloseCode,
  CommMsgType,
  CrossCommError,
  MessageListener,
  RequestHandler,
  type Envelope,
  type ErrorCode,
  type Message,
  type MessageListenerOptions,
  type Permissions,
  type UserMessageType,
} from './protocol/index.js';
