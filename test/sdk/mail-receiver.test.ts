import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { ConfirmContent, Envelope } from '../../src/protocol/index.js';
import type { MailItem } from '../../src/sdk/mail-item.js';
import { MailReceiver } from '../../src/sdk/mail-receiver.js';

/** A hub with one mailbox, a client with one receiver, and a wire between them that breaks. */
class World {
  readonly receiver = new MailReceiver({
    nextTurn: (run) => void (this.turn = run),
    confirm: (content) => this.confirmed(content),
  });
  turn: (() => void) | undefined;
  epoch = 1;
  seq = 0;
  /** Highest number that was sent on this connection. */
  lastSent = 0;
  /** What the hub keeps, by number. */
  mail = new Map<number, string>();
  rejectedAtHub = new Set<number>();
  readonly processed = new Set<string>();
  readonly surfaced = new Map<string, number>();
  readonly rejections = new Map<string, number>();
  open: MailItem[] = [];
  isConnected = false;
  ids = 0;
  /** Ids that the hub knows, so that it does not take them again; those that a crash takes away, in the order of their sending. */
  known = new Set<string>();
  undurable: string[] = [];
  /** What its sender has no answer to, and sends again before anything else. */
  unanswered: string[] = [];

  put(): void {
    this.resend();
    this.receive(`m${this.ids++}`);
  }

  /** The hub takes a message, and sends it before it is on disk. */
  receive(id: string): void {
    this.mail.set((this.seq += 1 + (this.seq % 3)), id);
    this.known.add(id);
    this.undurable.push(id);
    if (this.isConnected) this.deliver(this.seq);
  }

  resend(): void {
    for (const id of this.unanswered.splice(0)) if (!this.known.has(id)) this.receive(id);
  }

  /** The hub is killed, and forgets what it had shown and not stored. @param lost which acks of processed ones did not arrive */
  crash(lost: number): void {
    this.cut();
    const waiting = new Set(this.mail.values());
    const isUnanswered = (id: string, place: number): boolean => waiting.has(id) || (place + lost) % 3 === 0;
    this.unanswered.push(...this.undurable.filter(isUnanswered));
    const forgotten = new Set(this.undurable.splice(0));
    for (const id of forgotten) this.known.delete(id);
    for (const [seq, id] of [...this.mail]) if (forgotten.has(id)) this.mail.delete(seq);
    // numbers are reserved far ahead
    this.seq += 1_000;
  }

  deliver(seq: number, attempt?: number): void {
    this.lastSent = Math.max(this.lastSent, seq);
    const msgId = this.mail.get(seq) as string;
    const envelope: Envelope = { msgId, fromClientId: 'a', toClientId: 'b', msgType: 'text', content: '', timestamp: 0, ossKey: null, ext: { seq, ...(attempt && { attempt }) } };
    const item = this.receiver.accept(envelope);
    if (!item) return;
    // in the order of their sending
    if (!this.surfaced.has(msgId)) expect(Number(msgId.slice(1))).toBe(this.surfaced.size);
    this.surfaced.set(msgId, (this.surfaced.get(msgId) ?? 0) + 1);
    this.open.push(item);
  }

  connect(): void {
    const { position } = this.receiver;
    const isKnown = position !== undefined && position.epoch === `e${this.epoch}`;
    if (isKnown) for (const seq of this.mail.keys()) if (seq <= position.seq) this.take(seq);
    const upTo = Math.min(this.seq, ...Array.from(this.mail.keys(), (seq) => seq - 1));
    this.isConnected = true;
    this.lastSent = 0;
    this.receiver.sessionChanged({ epoch: `e${this.epoch}`, seq: upTo, recovered: position === undefined || isKnown, pending: this.mail.size });
    this.rejectedAtHub.clear();
    for (const seq of [...this.mail.keys()]) this.deliver(seq);
  }

  cut(): void {
    this.isConnected = false;
    this.receiver.sessionLost();
  }

  /** The hub comes back with a store that has lost numbers and confirmations, not messages. */
  loseStore(forgotten: readonly string[]): void {
    this.cut();
    this.epoch++;
    const ids = [...forgotten, ...this.mail.values()];
    this.mail = new Map(ids.map((id, index) => [index + 1, id]));
    this.seq = ids.length;
    this.known = new Set(ids);
    this.undurable = [];
  }

  confirmed({ up_to = 0, seqs = [], rejected = [] }: ConfirmContent): void {
    for (const { seq } of rejected) this.rejectedAtHub.add(seq);
    for (const seq of [...this.mail.keys()]) if (seq <= up_to || seqs.includes(seq)) this.take(seq);
  }

  take(seq: number): void {
    // the hub must never forget what its receiver has not processed
    expect(this.processed.has(this.mail.get(seq) as string)).toBe(true);
    this.mail.delete(seq);
  }

  finish(index: number, isProcessed: boolean): void {
    const [item] = this.open.splice(index % Math.max(1, this.open.length), 1);
    if (!item) return;
    if (isProcessed) {
      this.processed.add(item.key.slice(2));
      item.release();
    } else {
      this.rejections.set(item.key.slice(2), (this.rejections.get(item.key.slice(2)) ?? 0) + 1);
      item.reject({});
    }
  }

  redeliver(): void {
    const [seq] = this.rejectedAtHub;
    if (seq === undefined || !this.isConnected) return;
    this.rejectedAtHub.delete(seq);
    if (this.mail.has(seq)) this.deliver(seq, 2);
  }
}

test('whatever breaks, mail is surfaced once per rejection more, and the hub forgets what was processed and nothing else', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant('put' as const) },
    { weight: 6, arbitrary: fc.record({ finish: fc.nat({ max: 9 }), isProcessed: fc.boolean() }) },
    { weight: 3, arbitrary: fc.constantFrom('turn' as const, 'connect' as const, 'redeliver' as const) },
    { weight: 2, arbitrary: fc.constantFrom('store' as const, 'resend' as const) },
    { weight: 1, arbitrary: fc.constantFrom('cut' as const, 'lose' as const) },
    { weight: 1, arbitrary: fc.record({ crash: fc.nat({ max: 2 }) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const world = new World();
      world.connect();
      const turn = (): void => {
        const run = world.turn;
        world.turn = undefined;
        run?.();
      };
      for (const action of steps) {
        if (action === 'put') world.put();
        else if (action === 'turn') turn();
        else if (action === 'redeliver') world.redeliver();
        else if (action === 'cut') world.cut();
        else if (action === 'store') world.undurable = [];
        else if (action === 'resend') world.resend();
        else if (action === 'lose') world.loseStore([...world.processed].slice(-2).filter((id) => ![...world.mail.values()].includes(id)));
        else if (action === 'connect') {
          if (!world.isConnected) world.connect();
        } else if ('crash' in action) world.crash(action.crash);
        else world.finish(action.finish, action.isProcessed);
      }
      if (!world.isConnected) world.connect();
      world.resend();
      for (let rounds = 0; rounds < 200 && (world.mail.size > 0 || world.turn); rounds++) {
        while (world.open.length > 0) world.finish(0, true);
        turn();
        world.redeliver();
      }
      expect(world.mail.size).toBe(0);
      // nothing that the hub does not know any more holds it up
      expect(world.receiver.position?.seq).toBeGreaterThanOrEqual(world.lastSent);
      for (const [id, times] of world.surfaced) expect([id, times]).toEqual([id, 1 + (world.rejections.get(id) ?? 0)]);
    }),
    { numRuns: 2_000 },
  );
});

test('a message that comes again while it is worked on is said to have arrived again', () => {
  const confirmed: ConfirmContent[] = [];
  const receiver = new MailReceiver({ nextTurn: (run) => run(), confirm: (content) => void confirmed.push(content) });
  const welcome = { epoch: 'e', seq: 0, recovered: true, pending: 0 };
  const mail: Envelope = { msgId: 'm1', fromClientId: 'a', toClientId: 'b', msgType: 'text', content: '', timestamp: 0, ossKey: null, ext: { seq: 1, receipt: 'delivered' } };
  receiver.sessionChanged(welcome);
  expect(receiver.accept(mail)).toMatchObject({ state: 'open' });
  receiver.sessionLost();
  receiver.sessionChanged(welcome);
  expect(receiver.accept(mail)).toBeNull();
  expect(confirmed.map(({ received }) => received)).toEqual([[1], [1]]);
});
