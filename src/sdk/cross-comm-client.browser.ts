import { browserClientId } from './client-id.browser.js';
import type { ClientOptions } from './client.options.js';
import { CrossCommClient as CrossCommClientCore } from './cross-comm-client.js';
import type { CallOptions } from './deadline.js';
import { BrowserFiles } from './files.browser.js';
import { webSocketTransport } from './transports/web-socket.transport.js';

/** A client of a CrossComm hub or of a pywayne `cross_comm` server, for browsers and everything else that has `WebSocket`. */
export class CrossCommClient extends CrossCommClientCore<BrowserFiles> {
  /** @throws CrossCommError `CC_INVALID_OPTION`, `CC_INVALID_CLIENT_ID` */
  constructor(options: ClientOptions = {}) {
    super(options, {
      openTransport: webSocketTransport((url) => new WebSocket(url)),
      defaultClientId: browserClientId,
      createFiles: (link) => new BrowserFiles(link),
      nextTurn,
    });
  }

  /**
   * Downloads the file or image behind a message's `ossKey`. The hub's `allowedOrigins` must hold the page's origin; a
   * bucket needs a rule that does the same.
   * @throws CrossCommError `CC_FILE_NOT_FOUND`, `CC_STORAGE_*`, `CC_UNSUPPORTED`, `CC_NOT_CONNECTED`, `CC_ABORTED`, `CC_TIMEOUT`
   */
  downloadFile(ossKey: string, options: CallOptions = {}): Promise<Blob> {
    return this.transfer(options, (files, signal) => files.downloadBlob(ossKey, signal));
  }
}

/** The part of a MessagePort that is used. */
interface Port {
  onmessage: (() => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** A message to itself: unlike timers it is not slowed down in pages that are not seen. */
function nextTurn(run: () => void): void {
  const { port1, port2 } = new MessageChannel() as unknown as { readonly port1: Port; readonly port2: Port };
  port1.onmessage = () => {
    port1.close();
    run();
  };
  port2.postMessage(0);
}
