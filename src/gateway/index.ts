export { CrossCommGateway } from './cross-comm.gateway.js';
export { CrossCommService, type ClientList, type SendResult } from './cross-comm.service.js';
export { GatewayOptions } from './gateway.options.js';
export { GATEWAY_PROVIDERS } from './gateway.providers.js';
export type { GroupMemberInfo } from './group-actions.js';
export type { RequestOptions } from './hub-requests.js';
