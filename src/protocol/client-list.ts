import { parseJsonText } from './content.js';
import { CrossCommError } from './cross-comm.error.js';

/** One entry of a client list as it travels; times in Unix seconds. */
export interface WireClient {
  readonly client_id: string;
  readonly status: 'online' | 'offline';
  readonly last_heartbeat: number;
  readonly login_time: number;
}

/** The content of `list_clients_response`, before it is put into a JSON string. */
interface WireClientList {
  readonly clients: readonly WireClient[];
  readonly total_count: number;
  readonly only_show_online: unknown;
}

/**
 * Reads `only_show_online` out of a list_clients content: a JSON string, an object, empty or null are all in use.
 * The value comes back as it was given, because the answer echoes it (wire facts 5.6); absent or unreadable is false.
 */
export function parseListRequest(content: unknown): unknown {
  let request = content;
  if (typeof content === 'string') {
    try {
      request = JSON.parse(content);
    } catch {
      // the old server answers unparsable contents with the full list
      return false;
    }
  }
  if (typeof request !== 'object' || request === null) return false;
  const given = (request as Record<string, unknown>)['only_show_online'] ?? false;
  // nobody sends an object here; echoed, a deeply nested one would break the answer
  return typeof given === 'object' ? true : given;
}

/** Content of a list_clients request: a JSON string, because old servers take nothing else. */
export function listRequestContent(onlyShowOnline: boolean): string {
  return JSON.stringify({ only_show_online: onlyShowOnline });
}

/** Content of the answer: a JSON string, because the Java client fails on an object. */
export function listResponseContent(clients: readonly WireClient[], onlyShowOnline: unknown): string {
  const list: WireClientList = { clients, total_count: clients.length, only_show_online: onlyShowOnline };
  return JSON.stringify(list);
}

/** One entry of a client list as it is read. */
export interface ListedClient {
  readonly clientId: string;
  readonly status: 'online' | 'offline';
  /** Unix seconds. */
  readonly lastHeartbeat: number;
  /** Unix seconds. */
  readonly loginTime: number;
}

/** A client list as it is read. */
export interface ReadClientList {
  readonly clients: readonly ListedClient[];
  readonly totalCount: number;
  readonly onlyShowOnline: boolean;
}

/**
 * Reads the answer of a hub or of a Python server (whose ids and times may be of any JSON type).
 * @throws CrossCommError `CC_INVALID_CONTENT`
 */
export function parseListResponse(content: unknown): ReadClientList {
  const list = typeof content === 'string' ? parseJsonText(content, 'The client list') : content;
  const { clients: given, only_show_online } = (list ?? {}) as { readonly clients?: unknown; readonly only_show_online?: unknown };
  if (!Array.isArray(given)) throw new CrossCommError('CC_INVALID_CONTENT', 'The client list is not valid.');
  const clients = (given as Partial<Record<keyof WireClient, unknown>>[]).map(({ client_id, status, last_heartbeat, login_time }): ListedClient => ({
    clientId: String(client_id),
    status: status === 'online' ? 'online' : 'offline',
    lastHeartbeat: Number(last_heartbeat) || 0,
    loginTime: Number(login_time) || 0,
  }));
  return { clients, totalCount: clients.length, onlyShowOnline: only_show_online === true };
}
