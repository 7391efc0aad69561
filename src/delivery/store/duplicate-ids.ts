import { IdEntries } from './id-entries.js';
import { MessageIdHash } from './message-id-hash.js';
import type { RecordWriter } from './record-writer.js';
import { beginIds, type RememberedId } from './record.js';

/** An id with its entry. */
export interface PlacedId extends RememberedId {
  readonly entry: number;
}

/** The ids of one sender, oldest first. */
interface Sender {
  readonly name: string;
  readonly number: number;
  head: number;
  tail: number;
  count: number;
}

/** So many senders are looked at for the one that has most. */
const LOOKED_AT = 256;

/**
 * Which message ids were stored, by sender, for a time and up to a number. Ids are kept as hashes of 96 bits within their
 * sender, in typed arrays: about 65 bytes each. Beyond the number a sender with more than its share loses its own
 * oldest; one with less takes the place of the oldest of the sender that has most.
 */
export class DuplicateIds {
  readonly #windowMs: number;
  readonly #max: number;
  readonly #hash = new MessageIdHash();
  readonly #entries = new IdEntries();
  readonly #senders = new Map<string, Sender>();
  readonly #byNumber: (Sender | undefined)[] = [undefined];
  readonly #freeNumbers: number[] = [];
  #largest: Sender | undefined;
  #looking: IterableIterator<Sender> | undefined;
  #sweeping: IterableIterator<Sender> | undefined;

  /**
   * @param windowMs how long an id is remembered
   * @param max how many ids are remembered in all
   */
  constructor(windowMs: number, max: number) {
    this.#windowMs = windowMs;
    this.#max = max;
  }

  /** How many ids are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  seqOf(sender: string, msgId: string, nowMs: number): number | undefined {
    this.#hash.of(msgId);
    const entry = this.#find(sender, nowMs);
    return entry === 0 ? undefined : this.#entries.seq[entry];
  }

  /** When it was stored, in milliseconds since the epoch. */
  storedAtMs(sender: string, msgId: string, nowMs: number): number | undefined {
    this.#hash.of(msgId);
    const entry = this.#find(sender, nowMs);
    return entry === 0 ? undefined : this.#entries.storedAtMs[entry];
  }

  /**
   * @param storedAtMs milliseconds since the epoch
   * @returns its entry, for {@link place}; 0 when it is not remembered
   */
  remember(sender: string, msgId: string, seq: number, storedAtMs: number, nowMs: number): number {
    this.#hash.of(msgId);
    return this.#remember(sender, seq, storedAtMs, nowMs);
  }

  /** Takes in what {@link idsIn} gave before a restart. */
  rememberHash(sender: string, hash: readonly [number, number, number], seq: number, storedAtMs: number, nowMs: number): number {
    this.#hash.set(...hash);
    return this.#remember(sender, seq, storedAtMs, nowMs);
  }

  /** The id of this message is durable, in this segment. An entry that stands for another message by now is left alone. */
  place(entry: number, seq: number, segment: number): void {
    if (this.#entries.seq[entry] === seq) this.#entries.segment[entry] = segment;
  }

  /**
   * Writes ids that still stand for these numbers, in a record for each sender.
   * @param entries each followed by its number
   * @returns how many records
   */
  write(writer: RecordWriter, entries: readonly number[]): number {
    const { seq, storedAtMs } = this.#entries;
    const bySender = new Map<Sender, number[]>();
    for (let index = 0; index < entries.length; index += 2) {
      const entry = entries[index] ?? 0;
      const sender = seq[entry] === entries[index + 1] ? this.#byNumber[this.#entries.ownerOf(entry)] : undefined;
      if (sender === undefined) continue;
      const ofSender = bySender.get(sender);
      if (ofSender === undefined) bySender.set(sender, [entry]);
      else ofSender.push(entry);
    }
    for (const [{ name }, ofSender] of bySender) {
      const start = beginIds(writer, name, ofSender.length);
      for (const entry of ofSender) {
        this.#entries.writeHash(writer, entry);
        writer.number(seq[entry] ?? 0);
        writer.number(storedAtMs[entry] ?? 0);
      }
      writer.end(start);
    }
    return bySender.size;
  }

  /** Entries that were ever used are below. */
  get end(): number {
    return this.#entries.end;
  }

  /** The ids that this segment holds, by sender, among the entries from `from` to before `to`. */
  idsIn(segment: number, from: number, to: number, nowMs: number): Map<string, PlacedId[]> {
    const found = new Map<string, PlacedId[]>();
    const { segment: segments, seq, storedAtMs } = this.#entries;
    for (let entry = from; entry < to; entry++) {
      if (segments[entry] !== segment || this.#isOld(entry, nowMs)) continue;
      const sender = this.#byNumber[this.#entries.ownerOf(entry)];
      if (sender === undefined) continue;
      const id = { entry, hash: this.#entries.hashOf(entry), seq: seq[entry] ?? 0, storedAtMs: storedAtMs[entry] ?? 0 };
      const ofSender = found.get(sender.name);
      if (ofSender === undefined) found.set(sender.name, [id]);
      else ofSender.push(id);
    }
    return found;
  }

  /** Forgets an id when it still stands for this number. */
  forget(sender: string, msgId: string, seq: number): void {
    this.#hash.of(msgId);
    const owner = this.#senders.get(sender);
    const entry = owner === undefined ? 0 : this.#entries.find(owner.number, this.#hash);
    if (owner !== undefined && entry !== 0 && this.#entries.seq[entry] === seq) this.#kill(owner, entry);
  }

  /** Gives up what is too old, of a few senders at a time. */
  sweep(nowMs: number): void {
    for (let looked = 0; looked < 4; looked++) {
      this.#sweeping ??= this.#senders.values();
      const { value, done } = this.#sweeping.next();
      if (done === true) {
        this.#sweeping = undefined;
        return;
      }
      this.#expire(value, nowMs, 64);
    }
  }

  /** Puts the ids of each sender into the order of their numbers, after reading them in the order of the disk. */
  sort(): void {
    const { next, seq } = this.#entries;
    for (const sender of this.#senders.values()) {
      if (this.#isSorted(sender)) continue;
      const entries: number[] = [];
      for (let entry = sender.head; entry !== 0; entry = next[entry] ?? 0) entries.push(entry);
      entries.sort((left, right) => (seq[left] ?? 0) - (seq[right] ?? 0));
      for (let index = 0; index < entries.length; index++) next[entries[index] ?? 0] = entries[index + 1] ?? 0;
      sender.head = entries[0] ?? 0;
      sender.tail = entries.at(-1) ?? 0;
    }
  }

  #isSorted(sender: Sender): boolean {
    const { next, seq } = this.#entries;
    let last = 0;
    for (let entry = sender.head; entry !== 0; entry = next[entry] ?? 0) {
      const current = seq[entry] ?? 0;
      if (current < last) return false;
      last = current;
    }
    return true;
  }

  /** The entry of the id that was hashed last; 0 when there is none. */
  #find(sender: string, nowMs: number): number {
    const owner = this.#senders.get(sender);
    const entry = owner === undefined ? 0 : this.#entries.find(owner.number, this.#hash);
    return entry === 0 || this.#isOld(entry, nowMs) ? 0 : entry;
  }

  #remember(name: string, seq: number, storedAtMs: number, nowMs: number): number {
    if (this.#max === 0 || storedAtMs + this.#windowMs <= nowMs) return 0;
    let sender = this.#senders.get(name);
    if (sender !== undefined) {
      const before = this.#entries.find(sender.number, this.#hash);
      if (before !== 0) this.#kill(sender, before);
      this.#expire(sender, nowMs, 4);
    }
    if (this.#entries.size >= this.#max) this.#makeRoom(sender);
    // it may have lost its last id
    sender = this.#senders.get(name) ?? this.#create(name);
    const entry = this.#entries.add(sender.number, this.#hash, seq, storedAtMs);
    if (sender.tail === 0) sender.head = entry;
    else this.#entries.next[sender.tail] = entry;
    sender.tail = entry;
    sender.count++;
    if (this.#largest === undefined || sender.count > this.#largest.count) this.#largest = sender;
    return entry;
  }

  #create(name: string): Sender {
    const sender = { name, number: this.#freeNumbers.pop() ?? this.#byNumber.length, head: 0, tail: 0, count: 0 };
    this.#byNumber[sender.number] = sender;
    this.#senders.set(name, sender);
    return sender;
  }

  #isOld(entry: number, nowMs: number): boolean {
    return (this.#entries.storedAtMs[entry] ?? 0) + this.#windowMs <= nowMs;
  }

  #makeRoom(sender: Sender | undefined): void {
    const share = this.#max / this.#senders.size;
    if (sender !== undefined && sender.count >= share) {
      this.#dropOldest(sender);
      return;
    }
    if (this.#largest === undefined || this.#largest.count < share) this.#largest = this.#findLargest();
    if (this.#largest !== undefined) this.#dropOldest(this.#largest);
  }

  #findLargest(): Sender | undefined {
    let largest: Sender | undefined;
    for (let looked = 0; looked < Math.min(LOOKED_AT, this.#senders.size); looked++) {
      this.#looking ??= this.#senders.values();
      let result = this.#looking.next();
      if (result.done === true) {
        this.#looking = this.#senders.values();
        result = this.#looking.next();
      }
      const candidate = result.value as Sender | undefined;
      if (candidate !== undefined && candidate.count > (largest?.count ?? 0)) largest = candidate;
    }
    return largest;
  }

  #dropOldest(sender: Sender): void {
    const before = this.#entries.size;
    while (sender.head !== 0 && this.#entries.size === before) this.#shift(sender);
  }

  #expire(sender: Sender, nowMs: number, limit: number): void {
    for (let left = limit; left > 0 && sender.head !== 0; left--) {
      if (!this.#entries.isDead(sender.head) && !this.#isOld(sender.head, nowMs)) return;
      this.#shift(sender);
    }
  }

  /** Takes the first off a sender's list, dead or alive. */
  #shift(sender: Sender): void {
    const entry = sender.head;
    const isLive = !this.#entries.isDead(entry);
    sender.head = this.#entries.next[entry] ?? 0;
    if (sender.head === 0) sender.tail = 0;
    if (isLive) {
      this.#entries.kill(entry);
      sender.count--;
    }
    this.#entries.release(entry);
    this.#dropIfEmpty(sender);
  }

  /** It stays in the list of its sender until it is the first. */
  #kill(sender: Sender, entry: number): void {
    this.#entries.kill(entry);
    sender.count--;
    this.#dropIfEmpty(sender);
  }

  #dropIfEmpty(sender: Sender): void {
    if (sender.count > 0 || this.#byNumber[sender.number] !== sender) return;
    this.#senders.delete(sender.name);
    this.#byNumber[sender.number] = undefined;
    this.#freeNumbers.push(sender.number);
    if (this.#largest === sender) this.#largest = undefined;
    while (sender.head !== 0) {
      const entry = sender.head;
      sender.head = this.#entries.next[entry] ?? 0;
      this.#entries.release(entry);
    }
    sender.tail = 0;
  }
}
