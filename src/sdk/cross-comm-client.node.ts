import { nodeClientId } from './client-id.node.js';
import type { ProgressHandler } from './client-files.js';
import type { ClientOptions } from './client.options.js';
import { CrossCommClient as CrossCommClientCore } from './cross-comm-client.js';
import type { CallOptions } from './deadline.js';
import { NodeFiles, type FileStorageChoice } from './files.node.js';
import { openNodeWebSocket } from './transports/web-socket.transport.node.js';

/** The options of a client in Node. */
export interface NodeClientOptions extends ClientOptions {
  /**
   * Where files, images and folders travel: `brokered`, the hub's storage, no credentials needed; `oss`, the bucket of
   * the variables `OSS_ENDPOINT`, `OSS_BUCKET_NAME`, `OSS_ACCESS_KEY_ID` and `OSS_ACCESS_KEY_SECRET`; or a storage of
   * your own. Default: `brokered` when the hub offers it, else `oss` when the variables are set, else `CC_UNSUPPORTED`.
   */
  readonly fileStorage?: FileStorageChoice;
}

/** A client of a CrossComm hub or of a pywayne `cross_comm` server, for Node. */
export class CrossCommClient extends CrossCommClientCore<NodeFiles> {
  /** @throws CrossCommError `CC_INVALID_OPTION`, `CC_INVALID_CLIENT_ID` */
  constructor(options: NodeClientOptions = {}) {
    super(options, {
      openTransport: openNodeWebSocket,
      defaultClientId: nodeClientId,
      createFiles: (link) => new NodeFiles(link, options.fileStorage),
      nextTurn: setImmediate,
    });
  }

  /**
   * Downloads the object behind a message's `ossKey` into a directory; a key that ends with "/" names a folder.
   * @returns the local path
   * @throws CrossCommError `CC_FILE_NOT_FOUND`, `CC_UNSAFE_PATH`, `CC_STORAGE_*`, `CC_CHECKSUM_MISMATCH`,
   *   `CC_UNSUPPORTED`, `CC_ABORTED`, `CC_TIMEOUT`
   */
  downloadFileManually(ossKey: string, directory: string, options: CallOptions & { onProgress?: ProgressHandler } = {}): Promise<string> {
    const { onProgress } = options;
    return this.transfer(options, (files, signal) => files.download({ ossKey, directory, signal, ...(onProgress && { onProgress }) }));
  }
}
