import { fromServer, type OutboundMessage } from '../clients/index.js';
import { listResponseContent, type WireClient } from '../protocol/index.js';

/** What a list is made for. */
export interface ListReplyRequest {
  readonly toClientId: string;
  /** Echoed as it was given. */
  readonly onlyShowOnline: unknown;
  /** Largest message the receiver takes. */
  readonly maxBytes: number;
}

/**
 * The answer to list_clients. A list longer than its receiver can take leaves out clients that are offline, those that
 * left longest ago first; who is online is never left out.
 */
export function listReply(clients: readonly WireClient[], { toClientId, onlyShowOnline, maxBytes }: ListReplyRequest): OutboundMessage {
  const online = clients.filter(({ status }) => status === 'online');
  let offline = clients.filter(({ status }) => status === 'offline');
  for (;;) {
    const reply = fromServer('list_clients_response', toClientId, listResponseContent([...online, ...offline], onlyShowOnline));
    if (reply.frame.length <= maxBytes || offline.length === 0) return reply;
    offline = offline.slice(Math.ceil(offline.length / 4));
  }
}
