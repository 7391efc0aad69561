import { fromServer, type Connection, type OutboundMessage } from '../clients/index.js';
import { CrossCommError, listResponseContent, type WireClient } from '../protocol/index.js';

/** What a list is made for. */
export interface ListReplyRequest {
  readonly toClientId: string;
  /** Echoed as it was given. */
  readonly onlyShowOnline: unknown;
  /** Largest message the receiver takes. */
  readonly maxBytes: number;
}

/** Bytes that the shortest entry of a list takes: one client of `list_clients`, one member of a group. */
const LEAST_ENTRY_BYTES = 50;

/** Largest answer that is made at all, whatever its receiver says it can take. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * The answer to list_clients. A list longer than its receiver can take leaves out clients that are offline, those that
 * left longest ago first; who is online is never left out.
 */
export function listReply(clients: readonly WireClient[], { toClientId, onlyShowOnline, maxBytes }: ListReplyRequest): OutboundMessage {
  const replyWith = (list: readonly WireClient[]): OutboundMessage => fromServer('list_clients_response', toClientId, listResponseContent(list, onlyShowOnline));
  if (clients.length * LEAST_ENTRY_BYTES <= maxBytes) {
    const all = replyWith(clients);
    if (all.frame.length <= maxBytes) return all;
  }
  const online = clients.filter(({ status }) => status === 'online');
  const offline = clients.filter(({ status }) => status === 'offline');
  // the number of clients becomes longer, too
  let bytes = replyWith(online).frame.length + 16;
  let first = offline.length;
  while (first > 0 && (bytes += entryBytes(offline[first - 1] as WireClient)) <= maxBytes) first--;
  return replyWith([...online, ...offline.slice(first)]);
}

/** What one client takes in the list, which is JSON inside a JSON string, with its comma. */
function entryBytes(client: WireClient): number {
  return Buffer.byteLength(JSON.stringify(JSON.stringify(client))) - 1;
}

/**
 * Refuses an answer that will be too large before it is made: groups can have very many members.
 * @throws CrossCommError `CC_RECEIVER_LIMIT`
 */
export function assertSendable({ maxReceiveBytes }: Connection, entryCount: number): void {
  if (entryCount * LEAST_ENTRY_BYTES > Math.min(maxReceiveBytes, MAX_ANSWER_BYTES)) throw new CrossCommError('CC_RECEIVER_LIMIT', 'The answer is too large.');
}
