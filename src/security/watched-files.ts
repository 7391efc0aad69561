import { Logger } from '@nestjs/common';
import { readFile, stat } from 'node:fs/promises';

/** What is read, and what is done with it. */
export interface WatchedFilesOptions {
  /** Named in the log, e.g. `The token file`. */
  readonly what: string;
  readonly paths: readonly string[];
  /** How often it is looked for a change, in milliseconds. */
  readonly intervalMs: number;
  /** Takes the contents, in the order of the paths, at the start and after each change; may throw. */
  readonly use: (contents: readonly Buffer[]) => unknown;
}

/**
 * Files that are read again when they change. What cannot be used is logged, and what was used before stays in use.
 * Looks at the files in place of being told, because mounted and linked files (Kubernetes, certbot) change unheard.
 */
export class WatchedFiles {
  readonly #logger = new Logger('CrossCommSecurity');
  readonly #options: WatchedFilesOptions;
  #signature = '';
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  private constructor(options: WatchedFilesOptions) {
    this.#options = options;
  }

  /** Reads the files and begins to watch them. @throws what reading or `use` throws */
  static async open(options: WatchedFilesOptions): Promise<WatchedFiles> {
    const files = new WatchedFiles(options);
    await files.#load(await files.#look());
    files.#timer = setInterval(() => void files.#check(), options.intervalMs).unref();
    return files;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** What changes with the files. */
  async #look(): Promise<string> {
    const facts = await Promise.all(this.#options.paths.map((path) => stat(path, { bigint: true })));
    return facts.map(({ ino, size, mtimeNs, ctimeNs }) => [ino, size, mtimeNs, ctimeNs].join()).join(';');
  }

  async #load(signature: string): Promise<void> {
    const { paths, use } = this.#options;
    // noted first: a file that changes while it is read is read once more
    this.#signature = signature;
    await use(await Promise.all(paths.map((path) => readFile(path))));
  }

  async #check(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { what } = this.#options;
    try {
      const signature = await this.#look().catch((error: NodeJS.ErrnoException) => `missing: ${error.code}`);
      if (signature === this.#signature) return;
      if (signature.startsWith('missing')) {
        this.#signature = signature;
        this.#logger.error(`${what} cannot be read (${signature.slice(9)}); what it held stays in use.`);
        return;
      }
      await this.#load(signature);
      this.#logger.log(`${what} was read again.`);
    } catch (error) {
      this.#logger.error(`${what} has changed and cannot be used; what it held before stays in use. ${reasonOf(error)}`);
    } finally {
      this.#isLooking = false;
    }
  }
}

/** Says why without quoting: the parser of JSON repeats what it read, which may be a secret. */
export function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'It is not JSON.';
  const { code, message } = error as NodeJS.ErrnoException;
  return code?.startsWith('CC_') === true ? message : (code ?? 'It cannot be read.');
}
