import { WsParamtype } from '@nestjs/websockets/enums/ws-paramtype.enum.js';

/** Key under which Nest keeps parameter decorators; also read by its WebSocket controllers. */
export const ROUTE_ARGUMENTS = '__routeArguments__';

/** Marks the parameter where a bare request handler gets its context; `@ConnectedSocket()` itself carries no mark. */
const REQUEST_CONTEXT = 'request-context';

/** The metadata of two parameters: what came in, and the client or the context of a request. */
export function bareParameters(second: 'client' | 'context'): Readonly<Record<string, { index: number; data: string | undefined; pipes: unknown[] }>> {
  return {
    [`${WsParamtype.PAYLOAD}:0`]: { index: 0, data: undefined, pipes: [] },
    [`${WsParamtype.SOCKET}:1`]: { index: 1, data: second === 'context' ? REQUEST_CONTEXT : undefined, pipes: [] },
  };
}

/**
 * Gives `@MessageBody()` and `@ConnectedSocket()` their values. Arguments come as (client, message, msgType) for
 * listeners, and as (client, data, context, action) for handlers of requests.
 */
export class ListenerParamsFactory {
  exchangeKeyForValue(type: number, data: unknown, [client, message, context]: unknown[]): unknown {
    switch (type as WsParamtype) {
      case WsParamtype.SOCKET:
        return data === REQUEST_CONTEXT ? context : client;
      case WsParamtype.PAYLOAD:
        return typeof data === 'string' ? (message as Record<string, unknown> | null)?.[data] : message;
      default:
        return null;
    }
  }
}
