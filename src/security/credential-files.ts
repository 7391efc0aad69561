import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CrossCommError } from '../protocol/index.js';
import { WatchedFiles, reasonOf } from './watched-files.js';

/** How often a file of credentials is looked at, in milliseconds: what is taken out of it ends within a second. */
const LOOK_INTERVAL_MS = 500;

/** Keeps the files that say who may log in under watch as long as the hub runs. */
@Injectable()
export class CredentialFiles implements OnModuleDestroy {
  readonly #files: WatchedFiles[] = [];

  /**
   * Reads a file now and again after each change.
   * @param what names it in the log, e.g. `The token file`
   * @throws CrossCommError `CC_INVALID_OPTION` when it cannot be used now; later that is logged
   */
  async watch(what: string, path: string, use: (text: string) => void): Promise<void> {
    const named = `${what} ${JSON.stringify(path)}`;
    const read = ([content]: readonly Buffer[]): void => use((content ?? Buffer.alloc(0)).toString('utf8'));
    try {
      this.#files.push(await WatchedFiles.open({ what: named, paths: [path], intervalMs: LOOK_INTERVAL_MS, use: read }));
    } catch (error) {
      throw new CrossCommError('CC_INVALID_OPTION', `${named} cannot be used: ${reasonOf(error)}`);
    }
  }

  onModuleDestroy(): void {
    for (const files of this.#files) files.close();
  }
}

/** Reads a JSON object. @throws CrossCommError `CC_INVALID_OPTION`; a SyntaxError where it is no JSON */
export function jsonObject(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new CrossCommError('CC_INVALID_OPTION', 'It holds no object.');
  return value as Readonly<Record<string, unknown>>;
}
