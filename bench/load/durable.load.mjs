// @ts-check
import { LoadClient } from './client.mjs';
import { SEQUENCE_DIGITS, envelopeText } from './dialects.mjs';
import { maskedFrame } from './masked-frame.mjs';
import { OutgoingFrames } from './outgoing-frames.mjs';
import { contentOf } from './relay.load.mjs';
import { ServerFrames } from './server-frames.mjs';

/**
 * Pairs of clients that announced protocol 2. Durable: the sender waits for acks, the receiver confirms what it gets.
 * Live: the same messages, unconfirmed, of clients that know of nothing else, or of such as ask for it message by message.
 *
 * @typedef {object} DurablePlan
 * @property {'durable'} kind
 * @property {boolean} isDurable
 * @property {boolean} [asksLive] of live messages: whether their senders want acks of others, so that each says that it is live
 * @property {number} pairs
 * @property {number} window messages of one sender in flight
 * @property {number} contentBytes
 * @property {number} warmUp messages of each sender before the measurement
 * @property {number} messages of each sender that are measured
 */

const LIVE = ['errors', 'ext'];
const DURABLE = [...LIVE, 'acks', 'mailbox'];
const SEQ_KEY = Buffer.from('"seq": ');
/** Confirmations are of all received in one turn; more than this many at once a client may not have open. */
const MAX_UNCONFIRMED = 1_024;

/**
 * @param {import('./client.mjs').ServerAddress} server
 * @param {DurablePlan} plan
 */
export function durableLoad(server, plan) {
  /** @type {Pair[]} */
  let pairs = [];
  const run = async (/** @type {number} */ messages) => {
    await Promise.all(pairs.map((pair) => pair.run(messages)));
  };
  return {
    async prepare() {
      const cross_comm = { protocol: 2, features: plan.isDurable || plan.asksLive === true ? DURABLE : LIVE, limits: { max_unconfirmed: MAX_UNCONFIRMED } };
      const clients = await LoadClient.openMany({ ...server, loginContent: { cross_comm } }, { first: 0, count: 2 * plan.pairs });
      pairs = Array.from({ length: plan.pairs }, (_, i) => {
        const [sender, receiver] = /** @type {[LoadClient, LoadClient]} */ (clients.slice(2 * i, 2 * i + 2));
        return new Pair(server.dialect, { sender, receiver, plan });
      });
      await run(plan.warmUp);
    },
    async run() {
      for (const pair of pairs) pair.latenciesMs.length = 0;
      const start = performance.now();
      await run(plan.messages);
      const latencies = Float64Array.from(pairs.flatMap(({ latenciesMs }) => latenciesMs)).sort();
      const percentile = (/** @type {number} */ share) => 1000 * (latencies[Math.floor(latencies.length * share)] ?? NaN);
      return { elapsedMs: performance.now() - start, count: plan.pairs * plan.messages, p50Us: percentile(0.5), p99Us: percentile(0.99) };
    },
    async verify() {
      for (const pair of pairs) pair.verify();
    },
  };
}

/** A sender and its receiver. */
class Pair {
  /** From sending to the ack, or to the arrival of live messages. @type {number[]} */
  latenciesMs = [];
  #plan;
  #sender;
  #receiver;
  #frames;
  #sentAtMs;
  #acked = 0;
  #arrived = 0;
  #credit = 0;
  #toSend = 0;
  #goal = 0;
  #isSendDue = false;
  #seqToConfirm = -1;
  /** @type {(value?: undefined) => void} */
  #done = () => {};

  /**
   * @param {import('./dialects.mjs').Dialect} dialect
   * @param {{ sender: LoadClient, receiver: LoadClient, plan: DurablePlan }} parts
   */
  constructor(dialect, { sender, receiver, plan }) {
    this.#plan = plan;
    this.#sender = sender;
    this.#receiver = receiver;
    this.#sentAtMs = new Float64Array(plan.window);
    const content = contentOf({ alphabet: 'ascii', contentBytes: plan.contentBytes });
    // twice the window: what was acked may still be on its way to the receiver, which has no part in the ring
    this.#frames = new OutgoingFrames(dialect, { from: sender.id, to: receiver.id, content, slots: plan.window * 2, ext: plan.asksLive === true ? { delivery: 'live' } : undefined });
    const acks = new ServerFrames((bytes, start, end) => this.#onAck(bytes.toString('latin1', start, end)));
    const mail = new ServerFrames((bytes, start, end) => this.#onMail(bytes, start, end));
    sender.onBytes = (chunk, length) => acks.push(chunk, length);
    receiver.onBytes = (chunk, length) => mail.push(chunk, length);
  }

  /**
   * @param {number} messages
   * @returns {Promise<void>}
   */
  run(messages) {
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#toSend = messages;
      this.#goal += messages;
      this.#credit = this.#plan.window;
      this.#send();
    });
  }

  /** @throws {Error} unless everything arrived, in order, and was acked */
  verify() {
    const acked = this.#plan.isDurable ? this.#acked : this.#goal;
    if (this.#arrived !== this.#goal || acked !== this.#goal) throw new Error(`${this.#arrived} arrived and ${acked} were acked of ${this.#goal}.`);
  }

  /** @param {string} text */
  #onAck(text) {
    const { msg_type, content } = JSON.parse(text);
    if (msg_type !== 'ack' || content.receipt !== 'stored') throw new Error(`In place of an ack came ${text}`);
    for (const id of content.msg_ids) {
      const number = Number(id.slice(-SEQUENCE_DIGITS));
      if (number !== this.#acked) throw new Error(`Message ${number} was acked where ${this.#acked} was due.`);
      this.#acked++;
      this.#answered(number);
    }
  }

  /**
   * @param {Buffer} bytes
   * @param {number} start
   * @param {number} end
   */
  #onMail(bytes, start, end) {
    const at = start + this.#frames.sequenceOffset;
    const number = Number(bytes.toString('latin1', at, at + SEQUENCE_DIGITS));
    if (number !== this.#arrived) throw new Error(`Message ${number} arrived where ${this.#arrived} was due.`);
    this.#arrived++;
    if (!this.#plan.isDurable) {
      this.#answered(number);
      return;
    }
    const seqAt = bytes.lastIndexOf(SEQ_KEY, end) + SEQ_KEY.length;
    if (this.#seqToConfirm === -1) setImmediate(this.#confirm);
    this.#seqToConfirm = Number(bytes.toString('latin1', seqAt, end - 2));
    this.#endIfDone();
  }

  #confirm = () => {
    const { id } = this.#receiver;
    const text = envelopeText({ from: id, to: 'server', type: 'confirm', content: { up_to: this.#seqToConfirm } });
    this.#seqToConfirm = -1;
    this.#receiver.write(maskedFrame(Buffer.from(text)));
  };

  /** @param {number} number */
  #answered(number) {
    this.latenciesMs.push(performance.now() - /** @type {number} */ (this.#sentAtMs[number % this.#plan.window]));
    this.#credit++;
    if (!this.#isSendDue && this.#toSend > 0) {
      this.#isSendDue = true;
      setImmediate(this.#send);
    }
    this.#endIfDone();
  }

  #endIfDone() {
    if (this.#arrived === this.#goal && (!this.#plan.isDurable || this.#acked === this.#goal)) this.#done();
  }

  #send = () => {
    this.#isSendDue = false;
    const count = Math.min(this.#credit, this.#toSend);
    if (count === 0) return;
    this.#credit -= count;
    this.#toSend -= count;
    const nowMs = performance.now();
    for (let i = 0; i < count; i++) this.#sentAtMs[(this.#frames.next + i) % this.#plan.window] = nowMs;
    this.#frames.take(count, (bytes) => this.#sender.write(bytes));
  };
}
