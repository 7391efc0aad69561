import { Logger } from '@nestjs/common';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PresenceStore, type PresenceRecord } from './presence-store.js';
import { presenceFromYaml, presenceToYaml } from './presence-yaml.js';

/** File name that the Python tools expect. */
export const PRESENCE_FILE = 'cross_comm_clients.yaml';

/** Writing takes at most one part in so many of the time: a large registry is written less often. */
const PAUSE_PER_WRITE = 20;

/** However large it is, it is written this often, in milliseconds. */
const MAX_PAUSE_MS = 30_000;

/**
 * Presence in `cross_comm_clients.yaml`: written whole (temporary file, fsync, rename, fsync of the folder), some time
 * after the last change and never twice at once; the previous generation stays beside it as `….previous`. A file that
 * cannot be read is kept aside as `….unreadable-<ms>` and never stops the start.
 */
export class YamlPresenceStore extends PresenceStore {
  readonly #logger = new Logger(YamlPresenceStore.name);
  readonly #file: string;
  readonly #debounceMs: number;
  #snapshot: (() => Iterable<readonly [string, PresenceRecord]>) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #hasGoodFile = false;
  /** Quiet time that the size of the registry asks for. */
  #pauseMs = 0;

  constructor(dataDir: string, debounceMs: number) {
    super();
    this.#file = join(dataDir, PRESENCE_FILE);
    this.#debounceMs = debounceMs;
  }

  override async load(): Promise<ReadonlyMap<string, PresenceRecord>> {
    const current = await this.#read(this.#file);
    this.#hasGoodFile = current !== undefined;
    return current ?? (await this.#read(this.#previous)) ?? new Map();
  }

  override changed(snapshot: () => Iterable<readonly [string, PresenceRecord]>): void {
    this.#snapshot = snapshot;
    this.#timer ??= setTimeout(() => void this.flush(), Math.max(this.#debounceMs, this.#pauseMs)).unref();
  }

  override flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const snapshot = this.#snapshot;
    this.#snapshot = undefined;
    if (snapshot !== undefined)
      this.#writing = this.#writing.then(() => this.#write(snapshot)).catch((error: unknown) => {
        this.#snapshot ??= snapshot;
        this.#logger.error(`Presence could not be written to ${this.#file}; it is tried again at the next change.`, error);
      });
    return this.#writing;
  }

  get #previous(): string {
    return `${this.#file}.previous`;
  }

  async #read(file: string): Promise<Map<string, PresenceRecord> | undefined> {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      this.#logger.warn(`${file} cannot be read and is left alone: ${String(error)}`);
      return undefined;
    }
    try {
      return presenceFromYaml(text);
    } catch (error) {
      const aside = `${file}.unreadable-${Date.now()}`;
      const kept = await rename(file, aside).then(
        () => `kept as ${aside}`,
        (cause: unknown) => `not kept aside: ${String(cause)}`,
      );
      this.#logger.warn(`${file} is not a presence file (${(error as Error).message}); ${kept}. The previous generation is used.`);
      return undefined;
    }
  }

  async #write(snapshot: () => Iterable<readonly [string, PresenceRecord]>): Promise<void> {
    const startedMs = performance.now();
    const text = await presenceToYaml(snapshot());
    const folder = dirname(this.#file);
    const temporary = `${this.#file}.writing`;
    await mkdir(folder, { recursive: true });
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if (this.#hasGoodFile) await rename(this.#file, this.#previous).catch(ignoreMissing);
    this.#hasGoodFile = false;
    await rename(temporary, this.#file);
    this.#hasGoodFile = true;
    await syncFolder(folder);
    this.#pauseMs = Math.min(MAX_PAUSE_MS, (performance.now() - startedMs) * PAUSE_PER_WRITE);
  }
}

/** Somebody removed the file meanwhile: then there is no previous generation, and the new one is written all the same. */
function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders; there the rename alone has to do
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
