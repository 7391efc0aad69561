import type { AttachmentType, FileAction } from '../protocol/index.js';
import type { CallOptions } from './deadline.js';

/** How far a transfer has come; sizes in bytes. */
export interface FileProgress {
  readonly transferredBytes: number;
  readonly totalBytes: number;
  readonly doneFiles: number;
  readonly totalFiles: number;
}

export type ProgressHandler = (progress: FileProgress) => void;

interface TransferCall {
  readonly signal: AbortSignal;
  readonly onProgress?: ProgressHandler;
}

export interface UploadCall extends TransferCall {
  readonly msgType: AttachmentType;
  /** What the user gave as content: a path. */
  readonly source: unknown;
}

/** What an uploaded attachment's message says. */
export interface UploadedAttachment {
  readonly ossKey: string;
  readonly content: string;
}

export interface DownloadCall extends TransferCall {
  readonly ossKey: string;
  /** Absent when the user named the key: then a key that ends with "/" is a folder's. */
  readonly msgType?: AttachmentType | undefined;
  readonly directory: string;
}

/** What a platform can do with files. */
export interface ClientFiles {
  upload(call: UploadCall): Promise<UploadedAttachment>;
  /** Resolves with the local path. */
  download(call: DownloadCall): Promise<string>;
  /** The client is closed: frees what is kept for later transfers. */
  close?(): void;
}

/** The client as its files see it. */
export interface HubLink {
  readonly clientId: string;
  /** What the hub announced; undefined towards a protocol-1 server. */
  features(): readonly string[] | undefined;
  /** The WebSocket address of the newest connection. */
  url(): string;
  /** Asks the hub for an action. */
  request(action: FileAction, data: unknown, options?: CallOptions): Promise<unknown>;
}
