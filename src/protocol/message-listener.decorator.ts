import { CrossCommError } from './cross-comm.error.js';
import { decoratedMethod } from './decorated-method.js';
import { roleOf, type CommMsgType } from './message-type.js';

/** Which messages a listener gets. Without any filter it gets every message. */
export interface MessageListenerOptions {
  /** One type or several. Default: all. */
  readonly msgType?: CommMsgType | readonly CommMsgType[];
  /** Only messages of this client. Default: of everyone. */
  readonly fromClientId?: string;
  /**
   * Where attachments (file, image, folder) are downloaded before the listener runs; the content it sees is then the
   * local path. Without it the listener sees the original content and the key.
   */
  readonly downloadDirectory?: string;
}

/** A listener's filter in the form that is matched: types as a set, `undefined` meaning all. */
export interface ListenerFilter {
  readonly msgTypes: ReadonlySet<string> | undefined;
  readonly fromClientId: string | undefined;
  readonly downloadDirectory: string | undefined;
}

/**
 * Where the decorator keeps its filters, on the method itself. A registered symbol, so that two installed copies of
 * the package and the SDK (which has no reflect-metadata) read the same place.
 */
export const MESSAGE_LISTENER_KEY: unique symbol = Symbol.for('cross-comm:message_listener') as never;

/**
 * Marks a method as a listener for messages, as pywayne's `@message_listener` does. May be stacked: the method then
 * runs once for a message that passes at least one of its filters.
 *
 * Works on providers and controllers of a Nest application and on plain classes given to the SDK's
 * `registerListeners`, with TypeScript's `experimentalDecorators` and with standard decorators.
 *
 * @example
 * ```ts
 * @MessageListener({ msgType: CommMsgType.FILE, fromClientId: 'camera-1', downloadDirectory: './in' })
 * onFile(message: Message) {}
 *
 * @MessageListener(CommMsgType.TEXT)
 * onText(message: Message) {}
 * ```
 * @throws CrossCommError `CC_INVALID_LISTENER` at class definition, naming the method
 */
export function MessageListener(options: MessageListenerOptions | CommMsgType | readonly CommMsgType[] = {}) {
  return function decorate(target: unknown, context: unknown, descriptor?: PropertyDescriptor): void {
    const { method, name } = decoratedMethod('@MessageListener', target, context, descriptor);
    const filters = readListenerFilters(method);
    Object.defineProperty(method, MESSAGE_LISTENER_KEY, {
      value: [...filters, listenerFilter(options, name)],
      configurable: true,
    });
  };
}

/**
 * Checks listener options and brings them into the matched form.
 * @param name who is to blame, for the error's text
 * @throws CrossCommError `CC_INVALID_LISTENER`
 */
export function listenerFilter(options: MessageListenerOptions | CommMsgType | readonly CommMsgType[], name = 'The listener'): ListenerFilter {
  const given = typeof options === 'string' || isList(options) ? { msgType: options } : options;
  const { msgType, fromClientId, downloadDirectory, ...rest } = given as MessageListenerOptions & Record<string, unknown>;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined)
    throw new CrossCommError('CC_INVALID_LISTENER', `${name} has the unknown option "${unknown}"; use msgType, fromClientId, downloadDirectory.`);
  const types = msgType === undefined ? undefined : isList(msgType) ? msgType : [msgType];
  const wrong = types?.find((type) => typeof type !== 'string' || roleOf(type) === undefined);
  if (wrong !== undefined || types?.length === 0)
    throw new CrossCommError('CC_INVALID_LISTENER', `${name} has the msgType ${wrong ?? '[]'}, which does not exist; use CommMsgType.`);
  for (const [option, value] of Object.entries({ fromClientId, downloadDirectory }))
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw new CrossCommError('CC_INVALID_LISTENER', `${name} has an empty or non-string ${option}; leave it out to take all.`);
  return { msgTypes: types === undefined ? undefined : new Set<string>(types), fromClientId, downloadDirectory };
}

/** The filters a method was decorated with, in the order they apply; empty when it is no listener. */
export function readListenerFilters(method: unknown): readonly ListenerFilter[] {
  return (method as Readonly<Record<symbol, readonly ListenerFilter[]>> | null | undefined)?.[MESSAGE_LISTENER_KEY] ?? [];
}

/** Whether a message of this type and sender passes the filter. */
export function passesFilter(filter: ListenerFilter, msgType: string, fromClientId: string): boolean {
  return (
    (filter.msgTypes === undefined || filter.msgTypes.has(msgType)) &&
    (filter.fromClientId === undefined || filter.fromClientId === fromClientId)
  );
}

function isList(value: unknown): value is readonly CommMsgType[] {
  return Array.isArray(value);
}
