/** How received messages are worked off. */
export interface InboundQueueSettings {
  /** Lanes that run at the same time. */
  readonly concurrency: number;
  /** Waiting items from which on the queue is full. */
  readonly maxWaiting: number;
}

export interface InboundQueueEvents<Item> {
  /** Handles one item; must not throw or reject. Returns nothing when it was done at once. */
  run(item: Item): Promise<void> | undefined;
  /** The queue became full, or half empty again. */
  onFull(isFull: boolean): void;
}

/**
 * Runs items one after another per lane (the sender), in the order of their arrival, and different lanes side by
 * side. An item of an idle lane runs at once, without a promise.
 */
export class InboundQueue<Item> {
  readonly #settings: InboundQueueSettings;
  readonly #events: InboundQueueEvents<Item>;
  /** Waiting items of the lanes that run or wait for their turn. */
  readonly #lanes = new Map<string, Item[]>();
  readonly #ready: string[] = [];
  #running = 0;
  #waiting = 0;
  #full = false;

  constructor(settings: InboundQueueSettings, events: InboundQueueEvents<Item>) {
    this.#settings = settings;
    this.#events = events;
  }

  get isFull(): boolean {
    return this.#full;
  }

  push(lane: string, item: Item): void {
    const waiting = this.#lanes.get(lane);
    if (waiting) {
      waiting.push(item);
      this.#grown();
    } else if (this.#running >= this.#settings.concurrency) {
      this.#lanes.set(lane, [item]);
      this.#ready.push(lane);
      this.#grown();
    } else {
      const pending = this.#events.run(item);
      if (!pending) return;
      this.#lanes.set(lane, []);
      this.#running++;
      void pending.then(() => this.#continue(lane));
    }
  }

  /** Gives back and forgets what waits; what runs is not ended by this. */
  clear(): Item[] {
    const dropped = [...this.#lanes.values()].flatMap((waiting) => waiting.splice(0));
    for (const lane of this.#ready.splice(0)) this.#lanes.delete(lane);
    this.#waiting = 0;
    this.#full = false;
    return dropped;
  }

  #continue(lane: string): void {
    const waiting = this.#lanes.get(lane) ?? [];
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      this.#shrunk();
      const pending = this.#events.run(item);
      if (!pending) continue;
      void pending.then(() => this.#continue(lane));
      return;
    }
    this.#lanes.delete(lane);
    this.#running--;
    const next = this.#ready.shift();
    if (next === undefined) return;
    this.#running++;
    this.#continue(next);
  }

  #grown(): void {
    this.#waiting++;
    if (this.#full || this.#waiting < this.#settings.maxWaiting) return;
    this.#full = true;
    this.#events.onFull(true);
  }

  #shrunk(): void {
    this.#waiting--;
    if (!this.#full || this.#waiting > this.#settings.maxWaiting / 2) return;
    this.#full = false;
    this.#events.onFull(false);
  }
}
