import { constants } from 'node:fs';
import { open, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import type { ObjectInfo } from '../file-storage.js';

interface Sidecar {
  readonly key: string;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly chunkBytes: number;
  /** Numbers (from 0) of the chunks that are complete in the partial file. */
  readonly done: readonly number[];
}

/**
 * A download on its way: `<target>.part` with the bytes and `<target>.part.json` with what is known about them, so
 * that a later run can go on where this one stopped. Both are gone once the target is in place.
 */
export class PartialFile {
  readonly path: string;
  private readonly sidecarPath: string;
  private saving: Promise<void> = Promise.resolve();

  private constructor(
    private readonly targetPath: string,
    private readonly info: ObjectInfo,
    private readonly chunkBytes: number,
    readonly handle: FileHandle,
    /** Complete chunks. */
    readonly done: Set<number>,
  ) {
    this.path = `${targetPath}.part`;
    this.sidecarPath = `${this.path}.json`;
  }

  /** Opens the partial file; the chunks of an earlier run are kept when they are of the same object. */
  static async open(targetPath: string, info: ObjectInfo, chunkBytes: number): Promise<PartialFile> {
    const path = `${targetPath}.part`;
    const earlier = await readSidecar(`${path}.json`);
    const same =
      earlier?.key === info.key && earlier.etag === info.etag && earlier.sizeBytes === info.sizeBytes && earlier.chunkBytes === chunkBytes;
    // O_NOFOLLOW: a symbolic link put there by somebody else must not redirect the bytes (absent on Windows).
    const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0) | (same ? 0 : constants.O_TRUNC);
    const handle = await open(path, flags, 0o666);
    const { size } = await handle.stat();
    const lastEnd = (chunk: number): number => Math.min((chunk + 1) * chunkBytes, info.sizeBytes);
    const done = same ? earlier.done.filter((chunk) => lastEnd(chunk) <= size) : [];
    if (!same) await rm(`${path}.json`, { force: true });
    return new PartialFile(targetPath, info, chunkBytes, handle, new Set(done));
  }

  /** Notes a complete chunk. */
  async complete(chunk: number): Promise<void> {
    this.done.add(chunk);
    // A single chunk needs no notes: it is all or nothing.
    if (this.info.sizeBytes <= this.chunkBytes) return;
    this.saving = this.saving.then(() => this.save());
    await this.saving;
  }

  private async save(): Promise<void> {
    const { key, etag, sizeBytes } = this.info;
    const sidecar: Sidecar = { key, etag, sizeBytes, chunkBytes: this.chunkBytes, done: [...this.done] };
    // a note that outlives a loss of power must not be about bytes that did not
    await this.handle.datasync();
    await writeFile(`${this.sidecarPath}.tmp`, JSON.stringify(sidecar));
    await rename(`${this.sidecarPath}.tmp`, this.sidecarPath);
  }

  /** Puts the finished file in its place. */
  async moveToTarget(): Promise<void> {
    await this.handle.truncate(this.info.sizeBytes);
    await this.handle.datasync();
    await this.handle.close();
    await rename(this.path, this.targetPath);
    await rm(this.sidecarPath, { force: true });
  }

  /** Closes without finishing; the partial file stays only when something in it can be used again. */
  async close(keep: boolean): Promise<void> {
    await this.saving.catch(() => undefined); // its caller has seen this error already
    await this.handle.close();
    const useful = keep && this.done.size > 0 && this.info.sizeBytes > this.chunkBytes;
    if (useful) return;
    await rm(this.path, { force: true });
    await rm(this.sidecarPath, { force: true });
  }
}

async function readSidecar(path: string): Promise<Sidecar | undefined> {
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as Partial<Sidecar> | null;
    const valid = Array.isArray(value?.done) && value.done.every((chunk) => Number.isSafeInteger(chunk) && chunk >= 0);
    return valid ? (value as Sidecar) : undefined;
  } catch {
    return undefined; // missing or torn: the download begins anew
  }
}
