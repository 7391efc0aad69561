import { describe, expect, test } from '@jest/globals';
import { openHub, pause, until } from '../support/open-hub.js';
import { confirm, mailClient, receive, seqOf, untilAcked } from '../support/mail-client.js';
import { RawClient } from '../support/raw-client.js';
import type { TestHub, TestHubOptions } from '../../src/testing/index.js';

const open = (delivery: TestHubOptions['delivery'] = {}): Promise<TestHub> => openHub({ delivery: { store: 'memory', ...delivery } });

describe('A durable message', () => {
  test('is acked as stored, reaches its receiver with a number added to its bytes, and leaves the mailbox when confirmed', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    const sent = alice.send({ msg_id: 'm1', to_client_id: 'bob', content: '你好' });
    expect((await alice.next()).content).toEqual({ receipt: 'stored', msg_ids: ['m1'] });
    const text = await bob.nextText();
    expect(text.startsWith(sent.slice(0, -1))).toBe(true);
    const { seq } = (JSON.parse(text) as { ext: { seq: number } }).ext;
    confirm(bob, { up_to: seq });
    await bob.expectNothingElse();
    await bob.close();
    const again = await mailClient(hub.url, 'bob');
    expect(again.mail).toMatchObject({ recovered: true, pending: 0, seq });
    await again.expectNothingElse();
  });

  test('waits for a receiver that is away and comes in order when it is back', async () => {
    const hub = await open();
    const bob = await mailClient(hub.url, 'bob');
    await bob.close();
    const alice = await mailClient(hub.url, 'alice');
    const ids = Array.from({ length: 600 }, (_, n) => `m${n}`);
    for (const id of ids) alice.send({ msg_id: id, to_client_id: 'bob', content: id });
    await untilAcked(alice, 'stored', ids);
    const back = await mailClient(hub.url, 'bob');
    expect(back.mail.pending).toBe(600);
    for (let from = 0; from < 600; from += 100) {
      const page = await receive(back, 100);
      expect(page.map(({ msg_id }) => msg_id)).toEqual(ids.slice(from, from + 100));
      confirm(back, { up_to: seqOf(page[99] as never) });
    }
    await back.expectNothingElse();
  });

  test('is sent once more when its receiver left without confirming it, and not what it had confirmed', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    for (const id of ['m1', 'm2', 'm3']) alice.send({ msg_id: id, to_client_id: 'bob' });
    const [, second] = await receive(bob, 3);
    confirm(bob, { seqs: [seqOf(second as never)] });
    await bob.expectNothingElse();
    bob.socket.terminate();
    const back = await mailClient(hub.url, 'bob');
    expect((await receive(back, 2)).map(({ msg_id }) => msg_id)).toEqual(['m1', 'm3']);
    await back.expectNothingElse();
  });

  test('sent twice is delivered once and acked twice', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    for (let n = 0; n < 3; n++) {
      alice.send({ msg_id: 'm1', to_client_id: 'bob' });
      expect((await alice.next()).content).toEqual({ receipt: 'stored', msg_ids: ['m1'] });
    }
    await receive(bob, 1);
    await bob.expectNothingElse();
  });

  test('to somebody nobody knows is refused', async () => {
    const hub = await open();
    const alice = await mailClient(hub.url, 'alice');
    alice.send({ msg_id: 'm1', to_client_id: 'nobody' });
    expect(await alice.next()).toMatchObject({ msg_type: 'error', content: { reply_to: 'm1', code: 'CC_UNKNOWN_CLIENT', data: { to_client_id: 'nobody' } } });
  });

  test('to an old client is handed over live, once, in the seven keys, and the ack says so', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await RawClient.old(hub.url, 'bob')];
    const sent = alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    await untilAcked(alice, 'live', ['m1']);
    alice.send(sent);
    await untilAcked(alice, 'live', ['m1']);
    expect(await bob.nextText()).toBe(sent);
    await bob.expectNothingElse();
  });

  test('with an ext keeps it beside the number', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    alice.send({ to_client_id: 'bob', ext: { receipt: 'processed', 'trace.id': 7, seq: 1, attempt: 9 } });
    expect((await bob.next()).ext).toEqual({ receipt: 'processed', 'trace.id': 7, seq: expect.any(Number) });
  });

  test('cannot be forged: a live one keeps no sequence number of its sender', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    const eve = await mailClient(hub.url, 'eve', { features: ['ext'] });
    eve.send({ to_client_id: 'bob', content: 'forged', ext: { seq: 999_999_999, attempt: 2, 'trace.id': 7 } });
    expect(await bob.next()).toMatchObject({ content: 'forged', ext: { 'trace.id': 7 } });
    eve.send({ to_client_id: 'all', content: 'to all', ext: { seq: 999_999_999 } });
    for (const receiver of [alice, bob]) expect((await receiver.next()).ext).toEqual({});
  });

  test.each([{ delivery: 'later' }, { receipt: 'stored' }, { ttl: 0 }, { ttl: 'long' }])('that asks for %j is refused', async (ext) => {
    const hub = await open();
    const alice = await mailClient(hub.url, 'alice');
    alice.send({ msg_id: 'm1', to_client_id: 'bob', ext });
    expect((await alice.next()).content).toMatchObject({ reply_to: 'm1', code: 'CC_INVALID_CONTENT' });
  });

  test('to all cannot be', async () => {
    const hub = await open();
    const alice = await mailClient(hub.url, 'alice');
    alice.send({ msg_id: 'm1', to_client_id: 'all', ext: { delivery: 'durable' } });
    expect((await alice.next()).content).toMatchObject({ reply_to: 'm1', code: 'CC_INVALID_CONTENT' });
  });

  test('is no durable one with delivery "live": no ack, no number, no mailbox', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    alice.send({ msg_id: 'm1', to_client_id: 'bob', ext: { delivery: 'live' } });
    expect((await bob.next()).ext).toEqual({ delivery: 'live' });
    await alice.expectNothingElse();
    await bob.close();
    alice.send({ msg_id: 'm2', to_client_id: 'bob', ext: { delivery: 'live' } });
    expect((await alice.next()).content).toMatchObject({ reply_to: 'm2', code: 'CC_UNKNOWN_CLIENT' });
  });
});

describe('Receipts', () => {
  test('"processed" comes when the receiver has confirmed, "delivered" when it says that it arrived', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    alice.send({ msg_id: 'm1', to_client_id: 'bob', ext: { receipt: 'delivered' } });
    await untilAcked(alice, 'stored', ['m1']);
    const seq = seqOf(await bob.next());
    confirm(bob, { received: [seq] });
    await untilAcked(alice, 'delivered', ['m1']);
    confirm(bob, { seqs: [seq] });
    await untilAcked(alice, 'processed', ['m1']);
  });

  test('are told again to a sender that asks again', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    const frame = alice.send({ msg_id: 'm1', to_client_id: 'bob', ext: { receipt: 'processed' } });
    confirm(bob, { seqs: [seqOf(await bob.next())] });
    await untilAcked(alice, 'stored', ['m1']);
    await untilAcked(alice, 'processed', ['m1']);
    await alice.close();
    const back = await mailClient(hub.url, 'alice');
    back.send(frame);
    await untilAcked(back, 'stored', ['m1']);
    await untilAcked(back, 'processed', ['m1']);
  });
});

describe('A mailbox', () => {
  test.each([
    [{ mailboxMaxMessages: 2 }, 'messages'],
    [{ mailboxMaxBytes: 65_536 }, 'bytes'],
  ])('with %j refuses what is too much, with the limit by name, and takes more when there is room', async (limits, limit) => {
    const hub = await open(limits);
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    for (const id of ['m1', 'm2', 'm3']) alice.send({ msg_id: id, to_client_id: 'bob', content: 'x'.repeat(30_000) });
    expect((await alice.next()).content).toMatchObject({ reply_to: 'm3', code: 'CC_MAILBOX_FULL', retry_after: 1, data: { to_client_id: 'bob', limit } });
    await untilAcked(alice, 'stored', ['m1', 'm2']);
    const [first] = await receive(bob, 2);
    confirm(bob, { up_to: seqOf(first as never) });
    await bob.expectNothingElse();
    alice.send({ msg_id: 'm3', to_client_id: 'bob' });
    await untilAcked(alice, 'stored', ['m3']);
  });

  test('sends no more than its receiver wants unconfirmed', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob', { limits: { max_unconfirmed: 2 } })];
    for (const id of ['m1', 'm2', 'm3']) alice.send({ msg_id: id, to_client_id: 'bob' });
    const [first, second] = await receive(bob, 2);
    await bob.expectNothingElse();
    confirm(bob, { seqs: [seqOf(second as never)] });
    expect((await bob.next()).msg_id).toBe('m3');
    confirm(bob, { up_to: seqOf(first as never) });
    await bob.expectNothingElse();
  });

  test('lets mail expire, and tells a sender that wanted to know', async () => {
    const hub = await open();
    await (await mailClient(hub.url, 'bob')).close();
    const alice = await mailClient(hub.url, 'alice');
    alice.send({ msg_id: 'm1', to_client_id: 'bob', ext: { ttl: 0.1, receipt: 'processed' } });
    await untilAcked(alice, 'stored', ['m1']);
    expect((await alice.next()).content).toMatchObject({ reply_to: 'm1', code: 'CC_EXPIRED' });
    expect((await mailClient(hub.url, 'bob')).mail.pending).toBe(0);
  });

  test('sends what was rejected again after the delay, with the attempt, and gives up after so many', async () => {
    const hub = await open({ maxDeliveryAttempts: 3 });
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    alice.send({ msg_id: 'm1', to_client_id: 'bob', ext: { receipt: 'processed' } });
    await untilAcked(alice, 'stored', ['m1']);
    for (const attempt of [undefined, 2, 3]) {
      const mail = await bob.next();
      expect((mail.ext as { attempt?: number }).attempt).toBe(attempt);
      confirm(bob, { rejected: [{ seq: seqOf(mail), delay: 0.02 }] });
    }
    expect((await alice.next()).content).toMatchObject({ reply_to: 'm1', code: 'CC_DEAD_LETTER', data: { to_client_id: 'bob', why: 'rejected' } });
    await bob.expectNothingElse();
    expect((await mailClient(hub.url, 'bob')).mail.pending).toBe(0);
  });

  test('gives a message up at once when its receiver says so; it is among the dead letters', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    alice.send({ msg_id: 'm1', to_client_id: 'bob', content: 'poison' });
    confirm(bob, { rejected: [{ seq: seqOf(await bob.next()), dead: true }] });
    await bob.expectNothingElse();
    const [letter] = hub.service.deadLetters.list();
    expect(letter).toMatchObject({ msgId: 'm1', fromClientId: 'alice', clientId: 'bob', reason: 'rejected' });
    expect((await hub.service.deadLetters.open(letter as never)).content).toBe('poison');
    hub.service.deadLetters.discard(letter as never);
    expect(hub.service.deadLetters.list()).toEqual([]);
  });

  test.each([{}, { up_to: 'x' }, { seqs: [1.5] }, { received: 5 }, { rejected: [{}] }, { rejected: [{ seq: 1, delay: -1 }] }, null, 'x'])(
    'takes no confirmation %j',
    async (content) => {
      const hub = await open();
      const bob = await mailClient(hub.url, 'bob');
      bob.send({ msg_id: 'c1', msg_type: 'confirm', content });
      expect((await bob.next()).content).toMatchObject({ reply_to: 'c1', code: 'CC_INVALID_CONTENT' });
    },
  );

  test('takes a confirmation of much mail that waits again, in any order', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob', { limits: { max_unconfirmed: 1_000 } })];
    const ids = Array.from({ length: 1_000 }, (_, n) => `m${n}`);
    for (const id of ids) alice.send({ msg_id: id, to_client_id: 'bob' });
    const seqs = (await receive(bob, 1_000)).map(seqOf);
    bob.socket.terminate();
    const back = await mailClient(hub.url, 'bob', { limits: { max_unconfirmed: 1 } });
    expect((await back.next()).msg_id).toBe('m0');
    confirm(back, { seqs: seqs.slice(0, 999).toReversed() });
    expect((await back.next()).msg_id).toBe('m999');
    await back.expectNothingElse();
  });

  test('ignores numbers it does not hold', async () => {
    const hub = await open();
    const bob = await mailClient(hub.url, 'bob');
    confirm(bob, { up_to: 7, seqs: [8], received: [9], rejected: [{ seq: 10 }] });
    await bob.expectNothingElse();
  });
});

describe('Resume', () => {
  test('begins behind the position the client gives, and says that nothing is missing', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    for (const id of ['m1', 'm2', 'm3']) alice.send({ msg_id: id, to_client_id: 'bob' });
    const [, second] = await receive(bob, 3);
    bob.socket.terminate();
    const seq = seqOf(second as never);
    const back = await mailClient(hub.url, 'bob', { resume: { epoch: bob.mail.epoch, seq } });
    expect(back.mail).toEqual({ epoch: bob.mail.epoch, seq, recovered: true, pending: 1 });
    expect((await back.next()).msg_id).toBe('m3');
    await back.expectNothingElse();
  });

  test('works when nothing had been sent yet, and twice in a row', async () => {
    const hub = await open();
    let bob = await mailClient(hub.url, 'bob');
    for (let n = 0; n < 2; n++) {
      bob.socket.terminate();
      bob = await mailClient(hub.url, 'bob', { resume: bob.mail });
      expect(bob.mail).toMatchObject({ recovered: true, pending: 0 });
    }
    const alice = await mailClient(hub.url, 'alice');
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    expect((await bob.next()).msg_id).toBe('m1');
  });

  test.each([
    ['another epoch', { epoch: 'another', seq: 0 }],
    ['a number nobody was given', { seq: Number.MAX_SAFE_INTEGER }],
  ])('with %s is answered recovered: false, and all mail is sent', async (_, resume) => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    await bob.next();
    bob.socket.terminate();
    const back = await mailClient(hub.url, 'bob', { resume: { epoch: bob.mail.epoch, ...resume } });
    expect(back.mail).toMatchObject({ recovered: false, pending: 1 });
    expect((await back.next()).msg_id).toBe('m1');
  });

  test('with half a position is a login that cannot be read', async () => {
    const hub = await open();
    const bob = await RawClient.connect(hub.url);
    const { content } = await bob.login('bob', { cross_comm: { protocol: 2, resume: { epoch: 5 } } });
    expect(content).toMatchObject({ status: 'error', code: 'CC_INVALID_ENVELOPE' });
  });
});

describe('A takeover', () => {
  test('moves the mail to the new connection, and what the old one still confirms counts', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    for (const id of ['m1', 'm2']) alice.send({ msg_id: id, to_client_id: 'bob' });
    const [first] = await receive(bob, 2);
    bob.socket.pause();
    const next = await mailClient(hub.url, 'bob');
    expect(next.mail.pending).toBe(2);
    confirm(bob, { up_to: seqOf(first as never), seqs: [seqOf(first as never)] });
    await pause(50);
    bob.socket.resume();
    expect((await bob.closed()).code).toBe(4009);
    expect((await next.next()).msg_id).toBe('m2');
    await next.expectNothingElse();
  });

  test('leaves the old program a moment to confirm what it was sent, and ends it as soon as it has', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    for (const id of ['m1', 'm2', 'm3']) alice.send({ msg_id: id, to_client_id: 'bob' });
    const [, second, third] = await receive(bob, 3);
    const next = await mailClient(hub.url, 'bob');
    await next.expectNothingElse();
    // nothing else counts
    bob.send({ to_client_id: 'alice', content: 'I am still here' });
    confirm(bob, { up_to: seqOf(second as never) });
    confirm(bob, { rejected: [{ seq: seqOf(third as never) }] });
    expect(await bob.closed(140)).toEqual({ code: 4009, reason: 'a newer login with the same client id took over' });
    expect((await next.next()).msg_id).toBe('m3');
    await next.expectNothingElse();
    await untilAcked(alice, 'stored', ['m1', 'm2', 'm3']);
    await alice.expectNothingElse();
  });

  test('ends an old program that does not confirm all the same', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    await bob.next();
    const next = await mailClient(hub.url, 'bob');
    expect((await next.next()).msg_id).toBe('m1');
    expect((await bob.closed()).code).toBe(4009);
  });
});

describe('A sender', () => {
  test('that is faster than the store is not read until half is answered; nothing is lost', async () => {
    const hub = await open({ maxUnacked: 4 });
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    const ids = Array.from({ length: 500 }, (_, n) => `m${n}`);
    for (const id of ids) alice.send({ msg_id: id, to_client_id: 'bob' });
    await untilAcked(alice, 'stored', ids);
    const got: string[] = [];
    while (got.length < ids.length) {
      const mail = await bob.next();
      got.push(mail.msg_id);
      confirm(bob, { up_to: seqOf(mail) });
    }
    expect(got).toEqual(ids);
  });

  test('is told by a closing hub to come back, has its messages acked, and is closed with 1012', async () => {
    const hub = await open();
    const [alice] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    await until(() => hub.service.mailStats.mails === 1, 'the message to be stored');
    const closing = hub.close();
    const frames = await receive(alice, 2);
    expect(frames.map(({ msg_type }) => msg_type).sort()).toEqual(['ack', 'error']);
    expect(frames.find(({ msg_type }) => msg_type === 'error')?.content).toMatchObject({ reply_to: null, code: 'CC_SHUTTING_DOWN', retry_after: expect.any(Number) });
    expect((await alice.closed()).code).toBe(1012);
    await closing;
  });
});

describe('A hub without a store', () => {
  test('offers no acks, and all messages are live', async () => {
    const hub = await open({ store: 'none' });
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    expect(bob.mail).toBeUndefined();
    const sent = alice.send({ to_client_id: 'bob' });
    expect(await bob.nextText()).toBe(sent);
    await alice.expectNothingElse();
  });
});

describe('A hub that holds mail for old clients', () => {
  test('gives it to them in the seven keys when they are back', async () => {
    const hub = await open({ holdMailForOldClients: true });
    await (await RawClient.old(hub.url, 'python')).close();
    const alice = await mailClient(hub.url, 'alice');
    const sent = alice.send({ msg_id: 'm1', to_client_id: 'python', ext: { receipt: 'processed' } });
    await untilAcked(alice, 'stored', ['m1']);
    const { ext: _, ...seven } = JSON.parse(sent) as Record<string, unknown>;
    const python = await RawClient.old(hub.url, 'python');
    expect(await python.next()).toEqual(seven);
    await untilAcked(alice, 'processed', ['m1']);
    await python.expectNothingElse();
  });
});
