import { StorageOptions } from '../storage.options.js';
import { EmbeddedStoreHandler } from './embedded-store.handler.js';
import { EmbeddedFileStorage } from './embedded.file-storage.js';
import { loadOrGenerateCredentials, type StoreCredentials } from './generate-credentials.js';
import { MultipartStore } from './multipart-store.js';
import { ObjectStore } from './object-store.js';

/** What to open, and whom to tell about failures. */
export interface OpenEmbeddedStore {
  /** Anything missing has the default of `StorageOptions`. */
  readonly options?: Partial<StorageOptions>;
  /** Told about failures that are not a client's: a full disk, damaged files. */
  readonly onError?: (error: unknown) => void;
}

const SWEEP_MS = 3_600_000;

/** The embedded object store with everything that belongs to it: disk, keys, HTTP handler and driver. */
export class EmbeddedStore {
  private constructor(
    readonly storage: EmbeddedFileStorage,
    readonly handler: EmbeddedStoreHandler,
    readonly credentials: StoreCredentials,
    private readonly sweep: NodeJS.Timeout,
  ) {}

  /** Opens or creates the store in `options.directory`. Only one process may have it open at one time. */
  static async open({ options: given = {}, onError }: OpenEmbeddedStore = {}): Promise<EmbeddedStore> {
    const options = Object.assign(new StorageOptions(), given);
    const { directory, bucket, publicBaseUrl } = options;
    const credentials = await loadOrGenerateCredentials(directory);
    const objects = await ObjectStore.open(directory, options);
    const uploads = await MultipartStore.open(directory, objects, options);
    const removeStale = (): void => void uploads.removeStale().catch((error: unknown) => onError?.(error));
    removeStale();
    const sweep = setInterval(removeStale, SWEEP_MS);
    sweep.unref();
    const storage = new EmbeddedFileStorage({ objects, uploads, credentials, bucket, publicBaseUrl });
    const handler = new EmbeddedStoreHandler({ objects, uploads, credentials, options, ...(onError ? { onError } : {}) });
    return new EmbeddedStore(storage, handler, credentials, sweep);
  }

  /** Stops the clean-up timer; files are closed by the requests that opened them. */
  close(): void {
    clearInterval(this.sweep);
  }
}
