import { CrossCommError } from '../protocol/index.js';

/** A signed URL that begins with "/" belongs to the hub's own address, `ws:` read as `http:`. */
export function absoluteUrl(url: string, hubUrl: string): string {
  return url.startsWith('/') ? new URL(hubUrl.replace(/^ws/, 'http')).origin + url : url;
}

/** Why a file storage answered with this HTTP status. */
export function storageRefusal(status: number): CrossCommError {
  const denied = status === 401 || status === 403 ? 'CC_STORAGE_DENIED' : 'CC_STORAGE_FAILED';
  return new CrossCommError(status === 404 ? 'CC_FILE_NOT_FOUND' : denied, `The file storage answered ${status}.`);
}
