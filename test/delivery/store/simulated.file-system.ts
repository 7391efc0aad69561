import { basename } from 'node:path';
import type { StoreFile, StoreFileSystem } from '../../../src/delivery/store/index.js';

/** A write that is not synced. */
interface UnsyncedWrite {
  readonly position: number;
  readonly bytes: Buffer;
}

/** Contents as programs see them, and as a loss of power would leave them at best and worst. */
class Inode {
  current = Buffer.alloc(0);
  durable = Buffer.alloc(0);
  unsynced: (UnsyncedWrite | { readonly truncatedTo: number })[] = [];

  clone(): Inode {
    return Object.assign(new Inode(), { current: this.current, durable: this.durable, unsynced: [...this.unsynced] });
  }
}

/** Names that changed together: what they stand for from then on. */
type NameChange = ReadonlyMap<string, Inode | undefined>;

const SECTOR_BYTES = 512;

export type FileOperation =
  | 'makeDirectory' | 'list' | 'open' | 'read' | 'write' | 'datasync' | 'truncate' | 'size' | 'isNamed' | 'close' | 'copy' | 'rename' | 'unlink' | 'syncDirectory';

/** A disk in memory: full when told so, failing when told so, and able to lose its power. */
export class SimulatedFileSystem implements StoreFileSystem {
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  /** Since the last sync of the directory, in their order. */
  #nameChanges: NameChange[] = [];
  #isDead = false;
  capacityBytes = Infinity;
  /** Most bytes that one write takes. */
  maxWriteBytes = Infinity;
  /** Called before each operation; what it throws is how the operation fails. */
  beforeEach: (operation: FileOperation, name: string) => void = () => undefined;

  get names(): string[] {
    return [...this.#names.keys()].sort();
  }

  get usedBytes(): number {
    let bytes = 0;
    for (const { current } of this.#names.values()) bytes += current.length;
    return bytes;
  }

  contents(name: string): Buffer {
    return Buffer.from(this.#inode(name).current);
  }

  replace(name: string, bytes: Buffer): void {
    const inode = new Inode();
    inode.current = Buffer.from(bytes);
    inode.durable = inode.current;
    this.#names.set(name, inode);
    this.#durableNames.set(name, inode);
  }

  delete(name: string): void {
    this.#names.delete(name);
    this.#durableNames.delete(name);
  }

  /**
   * The disk as the next process finds it after this one was killed. Nothing of this one goes on; what was not synced
   * is there, and still not safe.
   */
  afterKill(): SimulatedFileSystem {
    this.#isDead = true;
    const next = new SimulatedFileSystem();
    const clones = new Map<Inode, Inode>();
    const clone = (inode: Inode): Inode => {
      const known = clones.get(inode) ?? inode.clone();
      clones.set(inode, known);
      return known;
    };
    for (const [name, inode] of this.#names) next.#names.set(name, clone(inode));
    for (const [name, inode] of this.#durableNames) next.#durableNames.set(name, clone(inode));
    next.#nameChanges = this.#nameChanges.map((change) => new Map([...change].map(([name, inode]) => [name, inode && clone(inode)])));
    return next;
  }

  /**
   * The disk after a loss of power. What was not synced is there, lost or zeroed, sector by sector; of the names that
   * changed since the last sync of the folder the first so many did, or any.
   */
  afterPowerLoss(random: () => number): SimulatedFileSystem {
    this.#isDead = true;
    const names = new Map(this.#durableNames);
    const isOrdered = random() < 0.5;
    for (const change of this.#nameChanges) {
      const survives = random() < 0.6;
      if (!survives && isOrdered) break;
      if (survives) for (const [name, inode] of change) if (inode === undefined) names.delete(name); else names.set(name, inode);
    }
    const next = new SimulatedFileSystem();
    for (const [name, inode] of names) next.replace(name, torn(inode, random));
    return next;
  }

  makeDirectory(): Promise<void> {
    return this.#run('makeDirectory', '', () => undefined);
  }

  list(): Promise<string[]> {
    return this.#run('list', '', () => this.names);
  }

  open(path: string, mode: 'create' | 'write' | 'read'): Promise<StoreFile> {
    const name = basename(path);
    return this.#run('open', name, () => {
      const existing = this.#names.get(name);
      if (mode === 'create' && existing !== undefined) throw failure('EEXIST');
      if (mode !== 'create' && existing === undefined) throw failure('ENOENT');
      const inode = existing ?? new Inode();
      if (existing === undefined) this.#change([[name, inode]]);
      return this.#file(name, inode);
    });
  }

  copy(from: string, to: string): Promise<void> {
    return this.#run('copy', basename(from), () => {
      const bytes = Buffer.from(this.#inode(basename(from)).current);
      if (this.usedBytes + bytes.length > this.capacityBytes) throw failure('ENOSPC');
      const inode = new Inode();
      inode.current = bytes;
      inode.unsynced.push({ position: 0, bytes });
      this.#change([[basename(to), inode]]);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#run('rename', basename(from), () =>
      this.#change([
        [basename(to), this.#inode(basename(from))],
        [basename(from), undefined],
      ]),
    );
  }

  unlink(path: string): Promise<void> {
    const name = basename(path);
    return this.#run('unlink', name, () => {
      this.#inode(name);
      this.#change([[name, undefined]]);
    });
  }

  syncDirectory(): Promise<void> {
    return this.#run('syncDirectory', '', () => {
      this.#durableNames = new Map(this.#names);
      this.#nameChanges = [];
    });
  }

  lock(): ReturnType<StoreFileSystem['lock']> {
    return Promise.resolve({ release: () => Promise.resolve() });
  }

  #file(name: string, inode: Inode): StoreFile {
    return {
      read: (buffer, offset, length, position) =>
        this.#run('read', name, () => inode.current.copy(buffer, offset, position, position + length)),
      write: async (buffer, offset, length, position) => {
        await this.#run('write', name, () => undefined);
        // until the answer the buffer must not change
        await new Promise((resolve) => setImmediate(resolve));
        return this.#act(() => {
          const space = this.capacityBytes - this.usedBytes + Math.max(0, inode.current.length - position);
          const taken = Math.min(length, this.maxWriteBytes, space);
          if (taken <= 0) throw failure('ENOSPC');
          const bytes = Buffer.from(buffer.subarray(offset, offset + taken));
          inode.current = overlaid(inode.current, position, bytes);
          inode.unsynced.push({ position, bytes });
          return taken;
        });
      },
      datasync: () =>
        this.#run('datasync', name, () => {
          inode.durable = inode.current;
          inode.unsynced = [];
        }),
      truncate: (length) =>
        this.#run('truncate', name, () => {
          inode.current = Buffer.from(inode.current.subarray(0, length));
          inode.unsynced.push({ truncatedTo: length });
        }),
      size: () => this.#run('size', name, () => inode.current.length),
      isNamed: () => this.#run('isNamed', name, () => [...this.#names.values()].includes(inode)),
      close: () => this.#run('close', name, () => undefined),
    };
  }

  async #run<T>(operation: FileOperation, name: string, action: () => T): Promise<T> {
    await Promise.resolve();
    return this.#act(() => {
      this.beforeEach(operation, name);
      return this.#isDead ? NEVER : action();
    });
  }

  /** Unless the process is gone: then nothing is done or answered any more. */
  async #act<T>(action: () => T | typeof NEVER): Promise<T> {
    const result = this.#isDead ? NEVER : action();
    if (result === NEVER) return new Promise<never>(() => undefined);
    return result;
  }

  #change(changes: readonly (readonly [string, Inode | undefined])[]): void {
    for (const [name, inode] of changes)
      if (inode === undefined) this.#names.delete(name);
      else this.#names.set(name, inode);
    this.#nameChanges.push(new Map(changes));
  }

  #inode(name: string): Inode {
    const inode = this.#names.get(name);
    if (inode === undefined) throw failure('ENOENT');
    return inode;
  }
}

const NEVER = Symbol('never');

/** An error as the system gives it. */
export function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

function overlaid(under: Buffer, position: number, bytes: Buffer): Buffer<ArrayBuffer> {
  const result = Buffer.alloc(Math.max(under.length, position + bytes.length));
  under.copy(result);
  bytes.copy(result, position);
  return result;
}

/** Sectors are those of the disk, so that one may hold old and new bytes. */
function torn(inode: Inode, random: () => number): Buffer {
  let bytes = inode.durable;
  for (const change of inode.unsynced) {
    if ('truncatedTo' in change) {
      if (random() < 0.5) bytes = Buffer.from(bytes.subarray(0, change.truncatedTo));
      continue;
    }
    const end = change.position + change.bytes.length;
    for (let at = change.position; at < end; ) {
      const next = Math.min(end, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES);
      const sector = change.bytes.subarray(at - change.position, next - change.position);
      const fate = random();
      if (fate < 0.4) bytes = overlaid(bytes, at, sector);
      // the length is known, the contents are not
      else if (fate < 0.6 && at >= inode.durable.length) bytes = overlaid(bytes, at, Buffer.alloc(sector.length));
      at = next;
    }
  }
  return bytes;
}
