export { acquireDataDir, type DataDirLock } from './data-dir-lock.js';
export { LogMailStore } from './log.mail-store.js';
export type { LogMailStoreOptions } from './log-store.options.js';
export { MailStore, type NewMail, type OpenedStore, type StoredMail, type StoreEvents, type StoreStats } from './mail-store.js';
export { MemoryMailStore, type MemoryMailStoreOptions } from './memory.mail-store.js';
export type { StoreFile, StoreFileSystem } from './store-file-system.js';
