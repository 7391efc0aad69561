import type { Provider } from '@nestjs/common';
import { AttachmentDownloader } from '../listeners/index.js';
import { AccessControl } from './access-control.js';
import { AuthRefresh } from './auth-refresh.service.js';
import { ClientControls } from './client-controls.js';
import { CrossCommGateway } from './cross-comm.gateway.js';
import { CrossCommService } from './cross-comm.service.js';
import { DeliveryActions } from './delivery-actions.js';
import { EventLoopTurn } from './event-loop-turn.js';
import { FileBroker } from './file-broker.service.js';
import { FileDoor } from './file-door.service.js';
import { GroupActions } from './group-actions.js';
import { HubActions } from './hub-actions.service.js';
import { HubRequests } from './hub-requests.js';
import { InboundPipeline } from './inbound-pipeline.js';
import { InboundRequests } from './inbound-requests.js';
import { LastWills } from './last-wills.js';
import { LoginExpiry } from './login-expiry.js';
import { LoginGuard } from './login-guard.js';
import { LoginWelcome } from './login-welcome.js';
import { LoginHandler } from './login.handler.js';
import { MessageForwarder } from './message-forwarder.js';
import { PresenceActions } from './presence-actions.js';
import { LoginRevoker } from './login-revoker.js';
import { ReadControl } from './read-control.js';
import { SlowReceivers } from './slow-receivers.js';
import { StorageAttachmentDownloader } from './storage.attachment-downloader.js';
import { UpgradeGuard } from './upgrade-guard.js';

/** Everything of this folder that is injected; `GatewayOptions` is provided by the module. */
export const GATEWAY_PROVIDERS: Provider[] = [
  CrossCommGateway,
  CrossCommService,
  EventLoopTurn,
  InboundPipeline,
  MessageForwarder,
  ClientControls,
  LoginHandler,
  LoginGuard,
  LoginExpiry,
  LoginWelcome,
  LoginRevoker,
  AuthRefresh,
  AccessControl,
  ReadControl,
  SlowReceivers,
  UpgradeGuard,
  HubActions,
  HubRequests,
  InboundRequests,
  GroupActions,
  PresenceActions,
  DeliveryActions,
  LastWills,
  FileBroker,
  FileDoor,
  { provide: AttachmentDownloader, useClass: StorageAttachmentDownloader },
];
