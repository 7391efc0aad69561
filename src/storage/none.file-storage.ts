import { CrossCommError } from '../protocol/index.js';
import { FileStorage } from './file-storage.js';

const refuse = (): Promise<never> =>
  Promise.reject(new CrossCommError('CC_UNSUPPORTED', 'The file storage is switched off (storage.driver is "none").'));

/** Stands where there is no storage: every operation is refused with `CC_UNSUPPORTED`. */
export class NoFileStorage extends FileStorage {
  override readonly driver = 'none';
  override readonly put = refuse;
  override readonly get = refuse;
  override readonly head = refuse;
  override readonly remove = refuse;
  override readonly beginMultipart = refuse;
  override readonly putPart = refuse;
  override readonly listParts = refuse;
  override readonly completeMultipart = refuse;
  override readonly abortMultipart = refuse;
  override readonly signUrl = refuse;

  override async *list(): AsyncGenerator<never> {
    yield await refuse();
  }
}
