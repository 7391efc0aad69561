import type { Provider } from '@nestjs/common';
import { AttachmentDownloader } from '../listeners/index.js';
import { AccessControl } from './access-control.js';
import { AuthRefresh } from './auth-refresh.service.js';
import { CrossCommGateway } from './cross-comm.gateway.js';
import { CrossCommService } from './cross-comm.service.js';
import { EventLoopTurn } from './event-loop-turn.js';
import { FileBroker } from './file-broker.service.js';
import { FileDoor } from './file-door.service.js';
import { HubActions } from './hub-actions.service.js';
import { InboundPipeline } from './inbound-pipeline.js';
import { LoginExpiry } from './login-expiry.js';
import { LoginGuard } from './login-guard.js';
import { LoginHandler } from './login.handler.js';
import { LoginRevoker } from './login-revoker.js';
import { ReadControl } from './read-control.js';
import { StorageAttachmentDownloader } from './storage.attachment-downloader.js';
import { UpgradeGuard } from './upgrade-guard.js';

/** Everything of this folder that is injected; `GatewayOptions` is provided by the module. */
export const GATEWAY_PROVIDERS: Provider[] = [
  CrossCommGateway,
  CrossCommService,
  EventLoopTurn,
  InboundPipeline,
  LoginHandler,
  LoginGuard,
  LoginExpiry,
  LoginRevoker,
  AuthRefresh,
  AccessControl,
  ReadControl,
  UpgradeGuard,
  HubActions,
  FileBroker,
  FileDoor,
  { provide: AttachmentDownloader, useClass: StorageAttachmentDownloader },
];
