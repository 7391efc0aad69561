import type { MailStore, OpenedStore } from '../../../src/delivery/store/index.js';

interface ModelMail {
  recipients: readonly string[];
  readonly attempts: Map<string, number>;
  readonly frame: string;
}

/** What a store holds, in plain maps. */
export class ModelState {
  readonly mails = new Map<number, ModelMail>();
  readonly facts = new Map<string, string>();
  /** Numbers by message id. */
  readonly ids = new Map<string, number>();

  /** The same for the same contents. */
  get text(): string {
    const mails = [...this.mails].sort(([left], [right]) => left - right).map(([seq, { recipients, attempts, frame }]) => [seq, [...recipients].sort(), byKey(attempts), frame]);
    return JSON.stringify([mails, byKey(this.facts), [...this.ids.keys()].sort()]);
  }
}

function byKey<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([left], [right]) => (left < right ? -1 : 1));
}

/** Something that was asked of the store. */
export interface Step {
  readonly apply: (state: ModelState) => void;
  /** It was refused: it must not show. */
  isVoid: boolean;
}

/** Everything asked of a store, in order, over all its lives; knows what it may hold after a crash. */
export class PowerModel {
  #steps: Step[] = [];
  /** So many steps are certainly on disk. */
  #durable = 0;

  get length(): number {
    return this.#steps.length;
  }

  add(apply: Step['apply']): Step {
    const step = { apply, isVoid: false };
    this.#steps.push(step);
    return step;
  }

  /** The first `count` steps are on disk. */
  isDurable(count: number): void {
    this.#durable = Math.max(this.#durable, count);
  }

  /** Up to this step all is on disk. */
  isStored(step: Step): void {
    this.isDurable(this.#steps.indexOf(step) + 1);
  }

  /**
   * What the store holds must be what the first so many steps leave, all durable ones among them; from now on those
   * alone count.
   * @returns whether that is so; otherwise what should be there at least
   */
  recover(found: string): true | string {
    const state = new ModelState();
    let least = '';
    let matching: number | undefined;
    for (let count = 0; count <= this.#steps.length; count++) {
      const step = this.#steps[count - 1];
      if (step?.isVoid === false) step.apply(state);
      if (count < this.#durable) continue;
      const { text } = state;
      least ||= text;
      if (text === found) matching = count;
    }
    if (matching === undefined) return least;
    this.#steps = this.#steps.slice(0, matching);
    this.#durable = matching;
    return true;
  }

  /** All ids that were ever given to the store. */
  get state(): ModelState {
    const state = new ModelState();
    for (const { apply, isVoid } of this.#steps) if (!isVoid) apply(state);
    return state;
  }
}

/** What an opened store really holds, in the form of {@link ModelState.text}. */
export async function foundIn(store: MailStore, opened: OpenedStore, msgIds: Iterable<string>): Promise<string> {
  const state = new ModelState();
  const frames = await store.read(opened.mails);
  for (const [index, { seq, recipients, attempts }] of opened.mails.entries())
    state.mails.set(seq, { recipients, attempts: new Map(attempts), frame: frames[index]?.toString() ?? 'unreadable' });
  for (const [key, value] of opened.facts) state.facts.set(key, value);
  for (const msgId of msgIds) {
    const seq = store.seqOf('alice', msgId);
    if (seq !== undefined) state.ids.set(msgId, seq);
  }
  return state.text;
}

/** What may be done with messages and facts; messages are meant by how many came after them. */
export type Change =
  | { readonly do: 'remove'; readonly recipient: string; readonly picks: readonly number[] }
  | { readonly do: 'attempt'; readonly recipient: string; readonly pick: number }
  | { readonly do: 'move'; readonly from: string; readonly to: string; readonly pick: number }
  | { readonly do: 'fact'; readonly key: string; readonly value: string | undefined };

/** Does it to the store. @returns what it does to a model */
export function change(store: MailStore, wanted: Change, seqAt: (pick: number) => number): Step['apply'] {
  switch (wanted.do) {
    case 'remove': {
      const { recipient, picks } = wanted;
      const seqs = picks.map(seqAt);
      store.remove(recipient, seqs);
      return ({ mails }) => {
        for (const seq of seqs) {
          const mail = mails.get(seq);
          if (mail === undefined) continue;
          mail.recipients = mail.recipients.filter((name) => name !== recipient);
          mail.attempts.delete(recipient);
          if (mail.recipients.length === 0) mails.delete(seq);
        }
      };
    }
    case 'attempt': {
      const { recipient, pick } = wanted;
      const seq = seqAt(pick);
      store.countAttempt(recipient, seq);
      return ({ mails }) => {
        const mail = mails.get(seq);
        if (mail?.recipients.includes(recipient) === true) mail.attempts.set(recipient, (mail.attempts.get(recipient) ?? 0) + 1);
      };
    }
    case 'move': {
      const { from, to, pick } = wanted;
      const seq = seqAt(pick);
      store.move(seq, from, to);
      return ({ mails }) => {
        const mail = mails.get(seq);
        if (mail?.recipients.includes(from) !== true || from === to) return;
        mail.recipients = [...new Set(mail.recipients.map((name) => (name === from ? to : name)))];
        mail.attempts.delete(from);
      };
    }
    case 'fact': {
      const { key, value } = wanted;
      store.setFact(key, value);
      return ({ facts }) => {
        if (value === undefined) facts.delete(key);
        else facts.set(key, value);
      };
    }
  }
}
