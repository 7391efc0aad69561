export { MailStore, type NewMail, type OpenedStore, type StoreEvents, type StoreStats, type StoredMail } from './mail-store.js';
