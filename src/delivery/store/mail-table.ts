import { SeqMap } from '../seq-map.js';
import type { Fact, Mail } from './mail.js';

/** Of a message that has left all mailboxes; never changed. */
const NOBODY: string[] = [];

/** The messages that are in a mailbox and the facts, as they stand after everything recorded so far. */
export class MailTable {
  readonly #mails = new SeqMap<Mail>();
  readonly #facts = new Map<string, Fact>();
  /** Bytes of the frames of all messages. */
  liveBytes = 0;
  /** Characters of all facts. */
  factBytes = 0;

  get mails(): Pick<SeqMap<Mail>, 'get' | 'size' | 'values'> {
    return this.#mails;
  }

  get facts(): ReadonlyMap<string, Fact> {
    return this.#facts;
  }

  /** A message with the same number is replaced. */
  add(mail: Mail): void {
    const before = this.#mails.get(mail.seq);
    if (before !== undefined) this.liveBytes -= before.sizeBytes;
    this.#mails.set(mail.seq, mail);
    this.liveBytes += mail.sizeBytes;
  }

  /** Forgets a message as if it had never been. */
  drop(mail: Pick<Mail, 'seq' | 'sizeBytes'>): void {
    if (this.#mails.get(mail.seq) !== mail) return;
    this.#mails.delete(mail.seq);
    this.liveBytes -= mail.sizeBytes;
  }

  /** @returns the message when this mailbox held it */
  remove(recipient: string, seq: number): Mail | undefined {
    const mail = this.#mails.get(seq);
    if (mail === undefined) return undefined;
    const index = mail.recipients.indexOf(recipient);
    if (index < 0) return undefined;
    if (mail.recipients.length === 1) {
      mail.recipients = NOBODY;
      this.drop(mail);
    } else {
      // the order does not matter, and large groups would take long to close up
      const last = mail.recipients.pop();
      if (last !== undefined && index < mail.recipients.length) mail.recipients[index] = last;
    }
    mail.attempts?.delete(recipient);
    return mail;
  }

  /** @returns the count from now on, 0 when this mailbox does not hold it */
  countAttempt(recipient: string, seq: number): number {
    const mail = this.#mails.get(seq);
    if (mail === undefined || !mail.recipients.includes(recipient)) return 0;
    return this.setAttempts(mail, recipient, (mail.attempts?.get(recipient) ?? 0) + 1);
  }

  setAttempts(mail: Mail, recipient: string, count: number): number {
    mail.attempts ??= new Map();
    mail.attempts.set(recipient, count);
    return count;
  }

  /** @returns false when the first mailbox does not hold it */
  move(seq: number, from: string, to: string): boolean {
    const mail = this.#mails.get(seq);
    const index = mail?.recipients.indexOf(from) ?? -1;
    if (mail === undefined || index < 0) return false;
    if (from === to) return true;
    if (mail.recipients.includes(to)) {
      this.remove(from, seq);
      return true;
    }
    if (mail.recipients.length === 1) mail.recipients = [to];
    else mail.recipients[index] = to;
    mail.attempts?.delete(from);
    return true;
  }

  /** @returns the fact, or undefined when nothing changed */
  setFact(key: string, value: string): Fact | undefined {
    const fact = this.#facts.get(key);
    if (fact === undefined) {
      const created = { key, value, segment: 0 };
      this.#facts.set(key, created);
      this.factBytes += key.length + value.length;
      return created;
    }
    if (fact.value === value) return undefined;
    this.factBytes += value.length - fact.value.length;
    fact.value = value;
    return fact;
  }

  forgetFact(key: string): boolean {
    const fact = this.#facts.get(key);
    if (fact === undefined) return false;
    this.#facts.delete(key);
    this.factBytes -= key.length + fact.value.length;
    return true;
  }
}
