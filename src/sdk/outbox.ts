import { CrossCommError, RECEIPTS, utf8ByteLength, type Receipt } from '../protocol/index.js';
import type { PendingCall } from './pending-call.js';
import type { SentMessage } from './send-message.js';

/** A message on its way out. */
export interface OutgoingMessage {
  readonly msgId: string;
  /** As it travels to a hub that offers acks; the same bytes however often it is sent. */
  readonly frame: string;
  /** With the seven keys only, for everybody else. */
  readonly plainFrame: string;
  /** Whether such a hub is to answer it, and it stays here until then. */
  readonly isDurable: boolean;
  /** The receipt that ends the call. */
  readonly awaits: Receipt;
  /** When it was first sent, in monotonic milliseconds. */
  sentAtMs?: number;
  readonly call: PendingCall<SentMessage>;
}

export interface OutboxLimits {
  readonly maxMessages: number;
  /** Bytes of the frames in UTF-8. */
  readonly maxBytes: number;
}

/** What a hub that offers acks lets be unanswered at a time. */
export interface Credit {
  readonly messages: number;
  readonly bytes: number;
}

interface Entry {
  /** Undefined: its caller gave it up after it was sent, and only the hub's answer is awaited, or its place known. */
  message: OutgoingMessage | undefined;
  readonly bytes: number;
  isAnswered: boolean;
}

/**
 * The messages that wait for a connection, for credit, or for the hub's answer, in the order of their sending, within
 * bounds. No I/O and no timers.
 */
export class Outbox {
  readonly #limits: OutboxLimits;
  // Maps keep the order of insertion and let an aborted message leave from the middle
  #waiting = new Map<string, Entry>();
  readonly #sent = new Map<string, Entry>();
  /** Messages kept for resending: those that wait and those that were sent. */
  #count = 0;
  #bytes = 0;
  /** Waiting messages that need no credit. */
  #waitingLive = 0;
  #unanswered = 0;
  #unansweredBytes = 0;

  constructor(limits: OutboxLimits) {
    this.#limits = limits;
  }

  /** Bytes of all messages that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that were sent on this connection and are not answered. */
  get unansweredBytes(): number {
    return this.#unansweredBytes;
  }

  /** Nothing waits to be sent, and everything that was sent is answered. */
  get isAnswered(): boolean {
    return this.#waiting.size + this.#unanswered === 0;
  }

  /** The messages that earlier connections left without an answer, in the order of their sending. */
  get inDoubt(): string[] {
    return [...this.#waiting].flatMap(([msgId, { message }]) => (!message || message.sentAtMs ? msgId : []));
  }

  /** A message that needs no credit may go past those that wait, but not past one of its own kind. */
  get mayBypass(): boolean {
    return this.#waitingLive === 0;
  }

  /** @throws CrossCommError `CC_QUEUE_FULL`, and then nothing has changed */
  add(message: OutgoingMessage): void {
    const bytes = utf8ByteLength(message.frame);
    const { maxMessages, maxBytes } = this.#limits;
    if (this.#count >= maxMessages || this.#bytes + bytes > maxBytes)
      throw new CrossCommError('CC_QUEUE_FULL', `${this.#count} messages, ${this.#bytes} bytes are waiting.`);
    this.#waiting.set(message.msgId, { message, bytes, isAnswered: false });
    this.#count++;
    this.#bytes += bytes;
    if (!message.isDurable) this.#waitingLive++;
  }

  /** The call of a message is settled: it is not sent any more. One that is on its way uses up credit until its answer. */
  remove(msgId: string): void {
    const entry = this.#waiting.get(msgId) ?? this.#sent.get(msgId);
    if (!entry?.message) return;
    this.#forget(entry);
    if (!this.#waiting.delete(msgId) && entry.isAnswered) this.#sent.delete(msgId);
  }

  /**
   * Offers what waits to `transmit`, in order, until it returns `false`; an error it returns fails that message alone.
   * @param credit undefined towards a server that answers nothing: what was handed over is done then
   */
  flush(transmit: (message: OutgoingMessage) => boolean | CrossCommError, credit: Credit | undefined): void {
    for (const [msgId, entry] of this.#waiting) {
      const { message } = entry;
      if (!message) {
        this.#waiting.delete(msgId);
        continue;
      }
      const wantsAnswer = credit && message.isDurable;
      if (wantsAnswer && !this.#fits(entry.bytes, credit)) {
        if (this.mayBypass) return;
        continue;
      }
      const outcome = transmit(message);
      if (outcome === false) return;
      this.#waiting.delete(msgId);
      if (outcome === true && wantsAnswer) {
        this.#sent.set(msgId, entry);
        this.#unanswered++;
        this.#unansweredBytes += entry.bytes;
      } else {
        this.#forget(entry);
        if (outcome === true) message.call.resolve({ msgId, receipt: 'sent' });
        else message.call.reject(outcome);
      }
    }
  }

  /** Takes what the hub says about messages; unknown ones and those that were given up are ignored. */
  acknowledge(receipt: Receipt, msgIds: readonly string[]): void {
    for (const msgId of msgIds) {
      const entry = this.#answered(msgId);
      if (!entry) continue;
      const { message } = entry;
      const isLast = receipt === 'live' || !message || RECEIPTS.indexOf(receipt) >= RECEIPTS.indexOf(message.awaits);
      if (isLast) this.#sent.delete(msgId);
      if (!isLast || !message) continue;
      this.#forget(entry);
      message.call.resolve({ msgId, receipt });
    }
  }

  /** Takes the hub's refusal of a message; `false` when it is not about one of these. */
  refuse(msgId: string, error: CrossCommError): boolean {
    const entry = this.#answered(msgId);
    if (!entry) return false;
    this.#sent.delete(msgId);
    const { message } = entry;
    if (message) {
      this.#forget(entry);
      message.call.reject(error);
    }
    return true;
  }

  /** The connection is gone: what was sent waits again, before everything else. */
  requeue(): void {
    for (const entry of this.#sent.values()) entry.isAnswered = false;
    this.#waiting = new Map([...this.#sent, ...this.#waiting]);
    this.#sent.clear();
    this.#unanswered = this.#unansweredBytes = 0;
  }

  /** Empties the outbox; everything in it fails with `error`. */
  failAll(error: CrossCommError): void {
    this.requeue();
    for (const { message } of this.#waiting.values()) message?.call.reject(error);
  }

  /** The hub has answered a message that was sent on this connection: its credit is free. */
  #answered(msgId: string): Entry | undefined {
    const entry = this.#sent.get(msgId);
    if (entry && !entry.isAnswered) {
      entry.isAnswered = true;
      this.#unanswered--;
      this.#unansweredBytes -= entry.bytes;
    }
    return entry;
  }

  #forget(entry: Entry): void {
    this.#count--;
    this.#bytes -= entry.bytes;
    if (entry.message?.isDurable === false) this.#waitingLive--;
    entry.message = undefined;
  }

  /** A message that is larger than the whole credit goes alone. */
  #fits(bytes: number, credit: Credit): boolean {
    return this.#unanswered === 0 || (this.#unanswered < credit.messages && this.#unansweredBytes + bytes <= credit.bytes);
  }
}
