import { Logger, type Provider } from '@nestjs/common';
import { EmbeddedStore } from './embedded/embedded-store.js';
import { FileStorage } from './file-storage.js';
import { NoFileStorage } from './none.file-storage.js';
import { OssFileStorage } from './oss.file-storage.js';
import { StorageOptions } from './storage.options.js';

/** Injection token of the {@link EmbeddedStore}; undefined when another driver is in use. */
export const EMBEDDED_STORE = Symbol('cross-comm:embedded_store');

/** Everything of this folder that is injected; `StorageOptions` is provided by the module. */
export const STORAGE_PROVIDERS: Provider[] = [
  {
    provide: EMBEDDED_STORE,
    inject: [StorageOptions],
    useFactory: (options: StorageOptions): Promise<EmbeddedStore> | undefined => {
      if (options.driver !== 'embedded') return undefined;
      const logger = new Logger(EmbeddedStore.name);
      return EmbeddedStore.open({ options, onError: (error) => logger.error('The embedded file storage failed.', error) });
    },
  },
  {
    provide: FileStorage,
    inject: [StorageOptions, EMBEDDED_STORE],
    useFactory: (options: StorageOptions, embedded: EmbeddedStore | undefined): FileStorage => {
      if (embedded !== undefined) return embedded.storage;
      return options.driver === 'oss' ? OssFileStorage.fromEnvironment(process.env) : new NoFileStorage();
    },
  },
];
