import { once } from 'node:events';
import { WebSocket } from 'ws';
import { wireFrame, type WireFrame } from '../support/wire.js';
import type { MailPosition, MailWelcome } from '../../src/protocol/index.js';
import { readText, type History } from './history.js';

/** How one connection of a {@link RawReceiver} begins. */
export interface RawLogin {
  /** Messages it takes without confirming. Default 256. */
  readonly maxUnconfirmed?: number;
  /** Whether it says where its mail was left off. Default true. */
  readonly resumes?: boolean;
  /** Where it says that it was left off, instead of where it was. */
  readonly resume?: MailPosition;
}

/** How it reads. */
export interface RawReading {
  /** Messages between two confirmations. */
  readonly confirmEvery: number;
  /** Part of these confirmations that are really sent. */
  readonly confirmShare: number;
  readonly random: () => number;
}

/** No further frame within this time: there is none. */
const QUIET_MS = 400;

interface Welcome {
  readonly cross_comm?: { readonly mail?: MailWelcome };
}

/**
 * A client with a mailbox that speaks frames itself: it reads as far as it is told, confirms or does not, is cut off,
 * and knows on each connection what must not come any more. Throws when the hub does what the protocol rules out.
 */
export class RawReceiver {
  #socket: WebSocket | undefined;
  readonly #frames: WireFrame[] = [];
  #epoch = '';
  /** Everything up to this number was surfaced. */
  #seq = 0;
  #resumedAt = 0;
  #lastSeq = 0;
  #maxUnconfirmed = 256;
  readonly #unconfirmed = new Set<number>();
  /** The hub has certainly heard that these are processed. */
  readonly #processed = new Set<number>();
  /** Confirmed on this connection, perhaps never heard. */
  readonly #underWay = new Set<number>();
  readonly #surfaced = new Set<string>();
  /** What it surfaced, in order: producer and number. */
  readonly names: string[] = [];

  /** @param history where to write down what is surfaced, if anywhere */
  constructor(
    private readonly url: string,
    readonly id: string,
    private readonly history?: History,
  ) {}

  /** How far it has come. */
  get position(): MailPosition {
    return { epoch: this.#epoch, seq: this.#seq };
  }

  /** Opens a connection and logs in. @returns what the hub says about the mailbox */
  async connect({ maxUnconfirmed = 256, resumes = true, resume = this.#ownResume(resumes) }: RawLogin = {}): Promise<MailWelcome> {
    const socket = new WebSocket(this.url, { perMessageDeflate: false });
    this.#socket = socket;
    this.#frames.length = 0;
    this.#unconfirmed.clear();
    this.#maxUnconfirmed = maxUnconfirmed;
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => this.#frames.push(JSON.parse(data.toString()) as WireFrame));
    await once(socket, 'open');
    this.#lastSeq = 0;
    this.#send('login', { cross_comm: { protocol: 2, features: ['errors', 'ext', 'mailbox'], limits: { max_unconfirmed: maxUnconfirmed }, resume } });
    const answer = await this.#next();
    const mail = (answer?.content as Welcome | undefined)?.cross_comm?.mail;
    if (answer?.msg_type !== 'login_response' || mail === undefined) throw new Error(`No welcome with mail: ${JSON.stringify(answer)}`);
    // with another epoch it means nothing
    this.#resumedAt = mail.recovered ? (resume?.seq ?? 0) : 0;
    if (!mail.recovered) this.#processed.clear();
    this.#epoch = mail.epoch;
    return mail;
  }

  /** Reads up to `count` messages, fewer when no more come. @returns how many */
  async read(count: number, { confirmEvery, confirmShare, random }: RawReading): Promise<number> {
    let batch: number[] = [];
    for (let i = 0; i < count; i++) {
      const frame = await this.#next();
      if (frame === undefined) return i;
      batch.push(this.#surface(frame));
      if (batch.length < confirmEvery) continue;
      if (random() < confirmShare) this.#confirm(batch, random() < 0.5);
      batch = [];
    }
    return count;
  }

  /** Makes sure that the hub has heard the confirmations so far: what is asked behind them is answered. */
  async settleConfirmations(): Promise<void> {
    this.#send('list_clients', '');
    for (;;) {
      const frame = await this.#next();
      if (frame === undefined) throw new Error('The client list was not answered.');
      if (frame.msg_type === 'list_clients_response') break;
      this.#surface(frame);
    }
    for (const seq of this.#underWay) this.#processed.add(seq);
    this.#underWay.clear();
  }

  /** The hub was killed: what it had heard it may have forgotten. */
  hubDied(): void {
    this.#processed.clear();
  }

  /** Cuts the connection off. */
  cut(): void {
    this.#socket?.terminate();
    this.#underWay.clear();
  }

  #ownResume(resumes: boolean): MailPosition | undefined {
    return resumes && this.#epoch !== '' ? this.position : undefined;
  }

  #surface(frame: WireFrame): number {
    const { seq } = (frame.ext ?? {}) as { seq?: number };
    if (seq === undefined) throw new Error(`Not a message with ext.seq: ${JSON.stringify(frame)}`);
    if (seq <= this.#lastSeq) throw new Error(`seq ${seq} came after ${this.#lastSeq}.`);
    if (seq <= this.#resumedAt) throw new Error(`seq ${seq} came although everything up to ${this.#resumedAt} was left behind by resume.`);
    if (this.#processed.has(seq)) throw new Error(`seq ${seq} came again although it was confirmed.`);
    this.#lastSeq = seq;
    this.#unconfirmed.add(seq);
    if (this.#unconfirmed.size > this.#maxUnconfirmed) throw new Error(`${this.#unconfirmed.size} messages are unconfirmed, ${this.#maxUnconfirmed} were allowed.`);
    const name = `${frame.from_client_id} ${frame.msg_id}`;
    if (!this.#surfaced.has(name)) {
      this.#surfaced.add(name);
      const { n, to, sum } = readText(frame.content);
      this.names.push(`${frame.from_client_id}#${n}`);
      this.history?.append({ kind: 'received', by: this.id, from: frame.from_client_id, to, n, sum });
    }
    this.#seq = Math.max(this.#seq, seq);
    return seq;
  }

  /** @param asRange by "up to", which confirms what was left out before, too */
  #confirm(seqs: readonly number[], asRange: boolean): void {
    const upTo = seqs.at(-1) ?? 0;
    this.#send('confirm', asRange ? { up_to: upTo } : { seqs });
    for (const seq of asRange ? [...this.#unconfirmed].filter((other) => other <= upTo) : seqs) {
      this.#unconfirmed.delete(seq);
      this.#underWay.add(seq);
    }
  }

  #send(msgType: string, content: unknown): void {
    this.#socket?.send(JSON.stringify(wireFrame({ from_client_id: this.id, msg_type: msgType, content })));
  }

  async #next(): Promise<WireFrame | undefined> {
    const deadlineMs = performance.now() + QUIET_MS;
    while (this.#frames.length === 0) {
      if (performance.now() > deadlineMs) return undefined;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return this.#frames.shift();
  }
}
