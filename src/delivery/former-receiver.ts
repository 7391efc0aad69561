import type { ConfirmContent } from '../protocol/index.js';

/** A connection whose mailbox was taken over: what it was sent, and may still confirm. */
export class FormerReceiver {
  readonly #unconfirmed: Set<number>;
  /** Resolves when nothing is left of that. */
  readonly settled: Promise<void>;
  #settle!: () => void;

  constructor(unconfirmed: Iterable<number>) {
    this.#unconfirmed = new Set(unconfirmed);
    this.settled = new Promise((resolve) => (this.#settle = resolve));
  }

  /** Its word, told by numbers: `up_to` means what it was sent. What it rejects, its successor gets. */
  numbered({ up_to = -1, seqs = [], rejected = [] }: ConfirmContent): ConfirmContent {
    const done = [...seqs, ...[...this.#unconfirmed].filter((seq) => seq <= up_to)];
    for (const seq of [...done, ...rejected.map(({ seq }) => seq)]) this.#unconfirmed.delete(seq);
    if (this.#unconfirmed.size === 0) this.#settle();
    return { seqs: done };
  }
}
