import { WsParamtype } from '@nestjs/websockets/enums/ws-paramtype.enum.js';

/** Key under which Nest keeps parameter decorators; also read by its WebSocket controllers. */
export const ROUTE_ARGUMENTS = '__routeArguments__';

/** Gives `@MessageBody()` and `@ConnectedSocket()` their values. Arguments come as (client, message, msgType). */
export class ListenerParamsFactory {
  exchangeKeyForValue(type: number, data: unknown, [client, message]: unknown[]): unknown {
    switch (type as WsParamtype) {
      case WsParamtype.SOCKET:
        return client;
      case WsParamtype.PAYLOAD:
        return typeof data === 'string' ? (message as Record<string, unknown>)[data] : message;
      default:
        return null;
    }
  }
}
