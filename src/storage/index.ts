export {
  FileStorage,
  type GetOptions,
  type ListOptions,
  type ObjectInfo,
  type PartUpload,
  type PutOptions,
  type SignedUrlRequest,
  type StorageCallOptions,
  type UploadedPart,
} from './file-storage.js';
export { StorageOptions, type StorageDriver } from './storage.options.js';
export { Crc64, combineCrc64, crc64 } from './crc64.js';
export { downloadAttachment, type DownloadAttachmentRequest } from './transfer/download-attachment.js';
export { downloadFile, type DownloadFileRequest } from './transfer/download-file.js';
export { downloadFolder, type DownloadFolderRequest } from './transfer/download-folder.js';
export type { TransferOptions, TransferProgress } from './transfer/transfer.options.js';
export { uploadAttachment, type UploadAttachmentRequest } from './transfer/upload-attachment.js';
export { uploadFile } from './transfer/upload-file.js';
export { uploadFolder, type FolderResult, type UploadFolderRequest } from './transfer/upload-folder.js';
export type { UploadCheckpoint, UploadFileRequest } from './transfer/upload-request.js';
export { EmbeddedStore, type OpenEmbeddedStore } from './embedded/embedded-store.js';
export { credentialLines, loadOrGenerateCredentials, type StoreCredentials } from './embedded/generate-credentials.js';
export { OssFileStorage, type OssStorageOptions } from './oss.file-storage.js';
export { EMBEDDED_STORE, STORAGE_PROVIDERS } from './storage.providers.js';
