/**
 * Actions a client may request of the hub (`msg_type` "request" to "server") to move files without credentials of its
 * own: the hub makes the keys and signs short-lived URLs; the bytes travel over HTTP. Only for connections whose
 * welcome lists the feature "files". Sizes in bytes, times in milliseconds since the epoch unless named otherwise.
 */
export const FileAction = {
  /** Makes the key of a new file or the prefix of a new folder. {@link NewKeyData} -> {@link NewKeyResult} */
  NEW_KEY: 'files.new_key',
  /** Signs URLs. {@link SignData} -> {@link SignResult} */
  SIGN: 'files.sign',
  /** What is stored under one key. {@link KeyData} -> {@link WireObject} */
  HEAD: 'files.head',
  /** One page of a folder's objects. {@link ListData} -> {@link ListResult} */
  LIST: 'files.list',
  /** Starts a multipart upload. {@link KeyData} -> {@link MultipartStarted} */
  BEGIN_MULTIPART: 'files.begin_multipart',
  /** The parts uploaded so far, for resuming. {@link MultipartData} -> {@link PartList} */
  LIST_PARTS: 'files.list_parts',
  /** Joins the parts. {@link CompleteData} -> {@link WireObject} */
  COMPLETE_MULTIPART: 'files.complete_multipart',
  /** Drops the parts. {@link MultipartData} -> null */
  ABORT_MULTIPART: 'files.abort_multipart',
} as const;
export type FileAction = (typeof FileAction)[keyof typeof FileAction];

export interface NewKeyData {
  readonly msg_type: 'file' | 'image' | 'folder';
  /** Base name of the file; only its extension is kept. */
  readonly name: string;
}
export interface NewKeyResult {
  readonly key: string;
}

export interface KeyData {
  readonly key: string;
}

export interface SignRequest {
  readonly method: 'GET' | 'PUT';
  readonly key: string;
  /** Set for a part of a multipart upload. */
  readonly upload_id?: string;
  readonly part_number?: number;
}
/** At most 1,000 at once. */
export interface SignData {
  readonly requests: readonly SignRequest[];
}
export interface SignResult {
  /**
   * One URL per request, in order. One that begins with "/" is relative to the HTTP origin of the hub's own address
   * (`ws:` read as `http:`, `wss:` as `https:`).
   */
  readonly urls: readonly string[];
  /** Seconds the URLs stay valid. */
  readonly expires_in: number;
}

export interface ListData {
  /** A folder's prefix, ending with "/". */
  readonly prefix: string;
  /** The last key of the page before. */
  readonly start_after?: string;
}
export interface ListResult {
  readonly objects: readonly WireObject[];
  /** Whether another page follows. */
  readonly more: boolean;
}

export interface WireObject {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  readonly crc64?: string;
  readonly last_modified: number;
}

export interface MultipartStarted {
  readonly upload_id: string;
}
export interface MultipartData {
  readonly key: string;
  readonly upload_id: string;
}
export interface WirePart {
  readonly part_number: number;
  readonly etag: string;
  readonly size: number;
}
export interface PartList {
  readonly parts: readonly WirePart[];
}
export interface CompleteData extends MultipartData {
  readonly parts: readonly WirePart[];
}
