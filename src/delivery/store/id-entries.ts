import type { MessageIdHash } from './message-id-hash.js';
import type { RecordWriter } from './record-writer.js';

const FIRST_CAPACITY = 1024;

/** Chains per entry. Most ids that are looked up are new, and an empty chain is one look at memory in place of three. */
const CHAINS = 4;

/** Remembered ids in typed arrays: a table of chains by hash. Entries are numbers; 0 means none. */
export class IdEntries {
  size = 0;
  /** The next of the same sender, or of the free ones. */
  next = new Uint32Array(FIRST_CAPACITY);
  seq = new Float64Array(FIRST_CAPACITY);
  storedAtMs = new Float64Array(FIRST_CAPACITY);
  /** The segment that holds it durably; 0 until then. */
  segment = new Uint32Array(FIRST_CAPACITY);
  /** Number of the sender; 0 for dead ones. */
  #owner = new Uint32Array(FIRST_CAPACITY);
  #a = new Uint32Array(FIRST_CAPACITY);
  #b = new Uint32Array(FIRST_CAPACITY);
  #c = new Uint32Array(FIRST_CAPACITY);
  #chain = new Uint32Array(FIRST_CAPACITY);
  #buckets = new Uint32Array(FIRST_CAPACITY * CHAINS);
  #used = 1;
  #free = 0;

  /** Entries that were ever used are below. */
  get end(): number {
    return this.#used;
  }

  /** Number of the sender; 0 for dead ones. */
  ownerOf(entry: number): number {
    return this.#owner[entry] ?? 0;
  }

  hashOf(entry: number): [number, number, number] {
    return [this.#a[entry] ?? 0, this.#b[entry] ?? 0, this.#c[entry] ?? 0];
  }

  /** The same on disk. */
  writeHash(writer: RecordWriter, entry: number): void {
    writer.uint32(this.#a[entry] ?? 0);
    writer.uint32(this.#b[entry] ?? 0);
    writer.uint32(this.#c[entry] ?? 0);
  }

  find(owner: number, hash: MessageIdHash): number {
    let entry = this.#buckets[this.#bucketOf(owner, hash.a)] ?? 0;
    while (entry !== 0) {
      if (this.#a[entry] === hash.a && this.#owner[entry] === owner && this.#b[entry] === hash.b && this.#c[entry] === hash.c)
        return entry;
      entry = this.#chain[entry] ?? 0;
    }
    return 0;
  }

  add(owner: number, hash: MessageIdHash, seq: number, storedAtMs: number): number {
    const entry = this.#allocate();
    this.#owner[entry] = owner;
    this.#a[entry] = hash.a;
    this.#b[entry] = hash.b;
    this.#c[entry] = hash.c;
    this.seq[entry] = seq;
    this.storedAtMs[entry] = storedAtMs;
    this.segment[entry] = 0;
    this.next[entry] = 0;
    const bucket = this.#bucketOf(owner, hash.a);
    this.#chain[entry] = this.#buckets[bucket] ?? 0;
    this.#buckets[bucket] = entry;
    this.size++;
    return entry;
  }

  isDead(entry: number): boolean {
    return this.#owner[entry] === 0;
  }

  /** It is not found any more. Its place is free after {@link release}. */
  kill(entry: number): void {
    const bucket = this.#bucketOf(this.#owner[entry] ?? 0, this.#a[entry] ?? 0);
    const behind = this.#chain[entry] ?? 0;
    let before = this.#buckets[bucket] ?? 0;
    if (before === entry) this.#buckets[bucket] = behind;
    else {
      while (this.#chain[before] !== entry) before = this.#chain[before] ?? 0;
      this.#chain[before] = behind;
    }
    this.#owner[entry] = 0;
    this.size--;
  }

  /** Gives the place of an entry to others. */
  release(entry: number): void {
    if (!this.isDead(entry)) this.kill(entry);
    this.next[entry] = this.#free;
    this.#free = entry;
  }

  #bucketOf(owner: number, a: number): number {
    return (a ^ Math.imul(owner, 0x9e3779b1)) & (this.#buckets.length - 1);
  }

  #allocate(): number {
    if (this.#free !== 0) {
      const entry = this.#free;
      this.#free = this.next[entry] ?? 0;
      return entry;
    }
    if (this.#used === this.seq.length) this.#grow();
    return this.#used++;
  }

  #grow(): void {
    const capacity = this.seq.length * 2;
    const longer = (array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> => {
      const copy = new Uint32Array(capacity);
      copy.set(array);
      return copy;
    };
    const longerNumbers = (array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const copy = new Float64Array(capacity);
      copy.set(array);
      return copy;
    };
    this.next = longer(this.next);
    this.seq = longerNumbers(this.seq);
    this.storedAtMs = longerNumbers(this.storedAtMs);
    this.segment = longer(this.segment);
    this.#owner = longer(this.#owner);
    this.#a = longer(this.#a);
    this.#b = longer(this.#b);
    this.#c = longer(this.#c);
    this.#chain = new Uint32Array(capacity);
    this.#buckets = new Uint32Array(capacity * CHAINS);
    for (let entry = 1; entry < this.#used; entry++) {
      const owner = this.#owner[entry] ?? 0;
      if (owner === 0) continue;
      const bucket = this.#bucketOf(owner, this.#a[entry] ?? 0);
      this.#chain[entry] = this.#buckets[bucket] ?? 0;
      this.#buckets[bucket] = entry;
    }
  }
}
