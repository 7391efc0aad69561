import { CrossCommError } from '../protocol/index.js';
import { browserClientId } from './client-id.browser.js';
import type { ClientOptions } from './client.options.js';
import { CrossCommClient as CrossCommClientCore } from './cross-comm-client.js';
import { webSocketTransport, type WebSocketLike } from './transports/web-socket.transport.js';

/** A client of a CrossComm hub or of a pywayne `cross_comm` server, for browsers and everything else that has `WebSocket`. */
export class CrossCommClient extends CrossCommClientCore {
  /** @throws CrossCommError `CC_INVALID_OPTION`, `CC_INVALID_CLIENT_ID` */
  constructor(options: ClientOptions = {}) {
    super(options, {
      openTransport: webSocketTransport(openWebSocket),
      defaultClientId: browserClientId,
      createFiles: () => ({ upload: noFiles, download: noFiles }),
    });
  }
}

/** There are no paths in a browser, and an upload would need the storage to allow the page's origin. */
const noFiles = (): Promise<never> =>
  Promise.reject(new CrossCommError('CC_UNSUPPORTED', 'A browser moves no files; let a Node client do it, or send the bytes as type "bytes".'));

function openWebSocket(url: string): WebSocketLike {
  const { WebSocket } = globalThis as unknown as { WebSocket?: new (url: string) => WebSocketLike };
  if (WebSocket === undefined) throw new CrossCommError('CC_INVALID_OPTION', 'There is no WebSocket here; give the option webSocket.');
  return new WebSocket(url);
}
