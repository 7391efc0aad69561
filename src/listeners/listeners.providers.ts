import type { Provider } from '@nestjs/common';
import { ListenerDispatcher } from './listener.dispatcher.js';
import { ListenerExplorer } from './listener.explorer.js';
import { ListenerRegistry } from './listener.registry.js';
import { ListenerRunner } from './listener.runner.js';
import { RequestHandlerRegistry } from './request-handler.registry.js';

/** Everything of this folder that is injected; `ListenersOptions` and `AttachmentDownloader` come from outside. */
export const LISTENERS_PROVIDERS: Provider[] = [ListenerRegistry, RequestHandlerRegistry, ListenerExplorer, ListenerRunner, ListenerDispatcher];
