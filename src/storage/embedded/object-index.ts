import type { ObjectRecord } from './object-record.js';

/** What the index holds in memory per object; the rest of the record stays on disk. */
export type IndexEntry = Pick<ObjectRecord, 'key' | 'sizeBytes' | 'etag' | 'crc64' | 'lastModifiedMs' | 'type'>;

/** Which part of the key space a page shall show. */
export interface PageRequest {
  readonly prefix: string;
  /** Only what comes behind this key (or common prefix). */
  readonly after: string;
  /** Keys with this string behind the prefix are rolled up to one common prefix; empty: none are. */
  readonly delimiter: string;
  /** Most entries and common prefixes together. */
  readonly max: number;
}

/** One page of a listing, in the order of the keys. */
export interface IndexPage {
  readonly entries: readonly IndexEntry[];
  readonly commonPrefixes: readonly string[];
  /** Where the next page goes on; `undefined` on the last one. */
  readonly next: string | undefined;
}

/** All objects by key and in order. */
export class ObjectIndex {
  private readonly entries = new Map<string, IndexEntry>();
  private keys: string[] = [];

  /** Takes over what was found on disk. */
  load(entries: Iterable<IndexEntry>): void {
    for (const entry of entries) this.entries.set(entry.key, toEntry(entry));
    this.keys = [...this.entries.keys()].sort(compareKeys);
  }

  get size(): number {
    return this.keys.length;
  }

  get(key: string): IndexEntry | undefined {
    return this.entries.get(key);
  }

  set(entry: IndexEntry): void {
    if (!this.entries.has(entry.key)) this.keys.splice(this.firstNotBefore(entry.key), 0, entry.key);
    this.entries.set(entry.key, toEntry(entry));
  }

  delete(key: string): void {
    if (this.entries.delete(key)) this.keys.splice(this.firstNotBefore(key), 1);
  }

  page({ prefix, after, delimiter, max }: PageRequest): IndexPage {
    const entries: IndexEntry[] = [];
    const commonPrefixes: string[] = [];
    let last = after;
    const behindAfter = compareKeys(after, prefix) >= 0 && after !== '';
    let at = behindAfter ? this.firstWhere((key) => compareKeys(key, after) > 0) : this.firstNotBefore(prefix);
    while (at < this.keys.length) {
      const key = this.keys[at] as string;
      if (!key.startsWith(prefix)) break;
      const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
      const group = cut === -1 ? undefined : key.slice(0, cut + delimiter.length);
      // A page may end on a common prefix; the keys below it lie behind it, but were shown by it.
      const shown = group !== undefined && compareKeys(group, after) <= 0 && after !== '';
      if (!shown) {
        if (entries.length + commonPrefixes.length >= max) return { entries, commonPrefixes, next: last };
        if (group === undefined) entries.push(this.entries.get(key) as IndexEntry);
        else commonPrefixes.push(group);
        last = group ?? key;
      }
      at = group === undefined ? at + 1 : this.firstWhere((k) => compareKeys(k, group) > 0 && !k.startsWith(group));
    }
    return { entries, commonPrefixes, next: undefined };
  }

  private firstNotBefore(key: string): number {
    return this.firstWhere((k) => compareKeys(k, key) >= 0);
  }

  /** Position of the first key for which `test` holds; it must hold for all behind it as well. */
  private firstWhere(test: (key: string) => boolean): number {
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (test(this.keys[middle] as string)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Order of the keys' UTF-8 bytes, which OSS lists in; differs from JavaScript's for characters beyond U+FFFF. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Moves the halves of surrogate pairs behind all other code units. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

function toEntry({ key, sizeBytes, etag, crc64, lastModifiedMs, type }: IndexEntry): IndexEntry {
  return { key, sizeBytes, etag, crc64, lastModifiedMs, type };
}
