/** Numbers that share a page. */
const PAGE = 32;
const EMPTY: readonly undefined[] = Array.from({ length: PAGE }, () => undefined);

interface Page<Value> {
  readonly number: number;
  readonly values: (Value | undefined)[];
  used: number;
}

/**
 * Values by sequence number, for many that come and go quickly, those of close numbers mostly together.
 *
 * A `Map` of them grows into new tables as it is used, and the tables it leaves behind still point to what was in them.
 * Once such a table is old, the garbage collector keeps all of that, and what it refers to, until it next looks at
 * everything: that was a third of what a durable message cost. Here most values come and go without a table.
 */
export class SeqMap<Value> {
  readonly #pages = new Map<number, Page<Value>>();
  /** The page that was looked at last. */
  #last: Page<Value> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(seq: number): Value | undefined {
    return this.#find(seq)?.values[seq % PAGE];
  }

  set(seq: number, value: Value): void {
    const page = this.#find(seq) ?? this.#create(seq);
    if (page.values[seq % PAGE] === undefined) {
      page.used++;
      this.#size++;
    }
    page.values[seq % PAGE] = value;
  }

  delete(seq: number): boolean {
    const page = this.#find(seq);
    if (page?.values[seq % PAGE] === undefined) return false;
    page.values[seq % PAGE] = undefined;
    this.#size--;
    if (--page.used === 0) {
      this.#pages.delete(page.number);
      this.#last = undefined;
    }
    return true;
  }

  /** The values, in no particular order. */
  *values(): Generator<Value> {
    for (const { values } of this.#pages.values()) for (const value of values) if (value !== undefined) yield value;
  }

  #find(seq: number): Page<Value> | undefined {
    const number = Math.floor(seq / PAGE);
    if (this.#last?.number === number) return this.#last;
    const page = this.#pages.get(number);
    if (page !== undefined) this.#last = page;
    return page;
  }

  #create(seq: number): Page<Value> {
    const page: Page<Value> = { number: Math.floor(seq / PAGE), values: EMPTY.slice(), used: 0 };
    this.#pages.set(page.number, page);
    this.#last = page;
    return page;
  }
}
