import type { ConnectedClient } from '../clients/index.js';
import type { Envelope } from '../protocol/index.js';
import type { Asker } from './asker.js';
import type { Mailbox } from './mailbox.js';

/** A message that is being stored. */
export interface Acceptance {
  readonly seq: number;
  readonly mailboxes: readonly Mailbox[];
  readonly asker: Asker;
  /** Those who sent it once more meanwhile. */
  further: Asker[] | undefined;
  /** The message itself, where somebody else wants to see it when it is stored; it is not kept for nobody. */
  readonly message: RoutedMessage | undefined;
}

/** A message with its sender. */
export interface RoutedMessage {
  /** The client it is from; undefined: the hub itself. */
  readonly sender: ConnectedClient | undefined;
  readonly envelope: Envelope;
  readonly frame: Buffer;
}

/** The messages that are being stored, in their order, which is the order in which the store is done with them. */
export class StoringQueue {
  #acceptances: (Acceptance | undefined)[] = [];
  #head = 0;

  push(acceptance: Acceptance): void {
    this.#acceptances.push(acceptance);
  }

  /** The message with this number, when it is still being stored. */
  find(seq: number): Acceptance | undefined {
    let low = this.#head;
    let high = this.#acceptances.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const at = (this.#acceptances[middle] as Acceptance).seq;
      if (at === seq) return this.#acceptances[middle];
      if (at < seq) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  /** Takes the next one out, which the store says has this number. */
  take(seq: number): Acceptance {
    const acceptance = this.#acceptances[this.#head];
    if (acceptance?.seq !== seq) throw new Error(`The store is done with message ${seq}, but ${acceptance?.seq} is next.`);
    // not kept alive by its place
    this.#acceptances[this.#head++] = undefined;
    if (this.#head === this.#acceptances.length) {
      this.#acceptances = [];
      this.#head = 0;
    } else if (this.#head >= 1_024) {
      this.#acceptances.splice(0, this.#head);
      this.#head = 0;
    }
    return acceptance;
  }
}
