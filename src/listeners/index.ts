export { AttachmentDownloader } from './attachment-downloader.js';
export { ListenerDispatcher, type ListenerStats } from './listener.dispatcher.js';
export { ListenerExplorer } from './listener.explorer.js';
export { ListenerRegistry } from './listener.registry.js';
export { ListenersOptions } from './listeners.options.js';
export { LISTENERS_PROVIDERS } from './listeners.providers.js';
export { RequestHandlerRegistry, type RequestContext, type RequestHandlerHandle } from './request-handler.registry.js';
