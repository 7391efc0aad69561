/**
 * Values by sequence number, for many that come and go quickly.
 *
 * A `Map` grows into new tables as it is used, and the tables it leaves behind still point to what was in them. Once
 * such a table is old, the garbage collector keeps all of that, and what it refers to, until it next looks at everything:
 * that was a third of what a durable message cost. Here the tables hold numbers only, and a place is emptied when its
 * value goes.
 */
export class SeqMap<Value> {
  readonly #places = new Map<number, number>();
  readonly #values: (Value | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#places.size;
  }

  get(seq: number): Value | undefined {
    const place = this.#places.get(seq);
    return place === undefined ? undefined : this.#values[place];
  }

  has(seq: number): boolean {
    return this.#places.has(seq);
  }

  set(seq: number, value: Value): void {
    let place = this.#places.get(seq);
    if (place === undefined) {
      place = this.#free.pop() ?? this.#values.length;
      this.#places.set(seq, place);
    }
    this.#values[place] = value;
  }

  delete(seq: number): boolean {
    const place = this.#places.get(seq);
    if (place === undefined) return false;
    this.#places.delete(seq);
    this.#values[place] = undefined;
    this.#free.push(place);
    return true;
  }

  clear(): void {
    this.#places.clear();
    this.#values.length = 0;
    this.#free.length = 0;
  }

  /** The numbers in the order in which they came. */
  keys(): IterableIterator<number> {
    return this.#places.keys();
  }

  /** The values in the order in which they came. */
  *values(): Generator<Value> {
    for (const place of this.#places.values()) yield this.#values[place] as Value;
  }
}
