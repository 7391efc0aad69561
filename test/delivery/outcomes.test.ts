import { describe, expect, test } from '@jest/globals';
import { Mailbox } from '../../src/delivery/mailbox.js';
import type { StoredMail } from '../../src/delivery/store/index.js';
import { RecordingLogger } from '../module/recording.logger.js';
import { onCleanUp } from '../support/clean-up.js';
import { confirm, mailClient, receive, seqOf, untilAcked } from '../support/mail-client.js';
import { openHub, pause, until } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import type { TestHub, TestHubOptions } from '../../src/testing/index.js';

const open = (delivery: TestHubOptions['delivery'] = {}, options: TestHubOptions = {}): Promise<TestHub> => openHub({ delivery: { store: 'memory', ...delivery }, ...options });

const resend = (client: RawClient, msg_ids: unknown): string => client.send({ msg_id: 'r1', msg_type: 'request', to_client_id: 'server', content: { action: 'delivery.resend', data: { msg_ids } } });

const codes = (client: RawClient, count: number): Promise<unknown[]> =>
  receive(client, count).then((frames) => frames.map(({ msg_type, content }) => [msg_type, (content as { code?: string }).code ?? (content as { receipt?: string }).receipt]));

describe('What is sent again after a connection was lost', () => {
  test('and was refused before a later message was stored is refused for good, and never comes behind that', async () => {
    const hub = await open({ mailboxMaxMessages: 1 });
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    alice.send({ msg_id: 'm0', to_client_id: 'bob' });
    const [first] = [await bob.next()];
    const refused = alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    expect(await codes(alice, 2)).toEqual(expect.arrayContaining([['error', 'CC_MAILBOX_FULL'], ['ack', 'stored']]));
    confirm(bob, { up_to: seqOf(first) });
    await bob.expectNothingElse();
    const stored = alice.send({ msg_id: 'm2', to_client_id: 'bob' });
    confirm(bob, { up_to: seqOf(await bob.next()) });
    await untilAcked(alice, 'stored', ['m2']);
    await alice.close();
    const back = await mailClient(hub.url, 'alice');
    resend(back, ['m1', 'm2', 'm3']);
    expect((await back.next()).content).toEqual({ reply_to: 'r1', data: null });
    back.send(refused);
    expect((await back.next()).content).toMatchObject({ reply_to: 'm1', code: 'CC_DELIVERY_UNKNOWN' });
    back.send(stored);
    await untilAcked(back, 'stored', ['m2']);
    // it had not come so far
    back.send({ msg_id: 'm3', to_client_id: 'bob' });
    await untilAcked(back, 'stored', ['m3']);
    expect((await bob.next()).msg_id).toBe('m3');
    await bob.expectNothingElse();
    // told once: who sends it again knowing that means it
    confirm(bob, { up_to: Number.MAX_SAFE_INTEGER });
    await bob.expectNothingElse();
    back.send(refused);
    await untilAcked(back, 'stored', ['m1']);
  });

  test('is taken when nothing later is known, also of what was handed over live', async () => {
    const hub = await open();
    const [alice, old] = [await mailClient(hub.url, 'alice'), await RawClient.old(hub.url, 'old')];
    const live = alice.send({ msg_id: 'm1', to_client_id: 'old' });
    await untilAcked(alice, 'live', ['m1']);
    await alice.close();
    const back = await mailClient(hub.url, 'alice');
    resend(back, ['m0', 'm1', 'm2']);
    expect((await back.next()).msg_type).toBe('response');
    back.send({ msg_id: 'm0', to_client_id: 'old' });
    back.send(live);
    back.send({ msg_id: 'm2', to_client_id: 'old' });
    expect((await back.next()).content).toMatchObject({ reply_to: 'm0', code: 'CC_DELIVERY_UNKNOWN' });
    await untilAcked(back, 'live', ['m1', 'm2']);
    expect((await receive(old, 2)).map(({ msg_id }) => msg_id)).toEqual(['m1', 'm2']);
    await old.expectNothingElse();
  });

  test.each([undefined, 'm1', [1]])('is not announced by %j', async (ids) => {
    const hub = await open();
    const alice = await mailClient(hub.url, 'alice');
    resend(alice, ids);
    expect((await alice.next()).content).toMatchObject({ reply_to: 'r1', code: 'CC_INVALID_CONTENT' });
  });
});

describe('A sender that asks again what became of its message', () => {
  test('is not told "processed" of one that may have expired', async () => {
    const hub = await open();
    await (await mailClient(hub.url, 'bob')).close();
    const alice = await mailClient(hub.url, 'alice');
    const frame = alice.send({ msg_id: 'm1', to_client_id: 'bob', ext: { ttl: 0.1, receipt: 'processed' } });
    await untilAcked(alice, 'stored', ['m1']);
    await alice.close();
    await until(() => hub.service.mailStats.mails === 0, 'its end');
    const back = await mailClient(hub.url, 'alice');
    back.send(frame);
    await untilAcked(back, 'stored', ['m1']);
    expect((await back.next()).content).toMatchObject({ reply_to: 'm1', code: 'CC_DELIVERY_UNKNOWN', data: { to_client_id: 'bob' } });
  });

  test('is told that it is a dead letter, and, when that was discarded, that nobody knows', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    const frame = alice.send({ msg_id: 'm1', to_client_id: 'bob', ext: { receipt: 'processed' } });
    await untilAcked(alice, 'stored', ['m1']);
    await alice.close();
    confirm(bob, { rejected: [{ seq: seqOf(await bob.next()), dead: true }] });
    await bob.expectNothingElse();
    const back = await mailClient(hub.url, 'alice');
    for (const code of ['CC_DEAD_LETTER', 'CC_DELIVERY_UNKNOWN']) {
      back.send(frame);
      await untilAcked(back, 'stored', ['m1']);
      expect((await back.next()).content).toMatchObject({ reply_to: 'm1', code });
      for (const letter of hub.service.deadLetters.list()) hub.service.deadLetters.discard(letter);
    }
  });

  test('is told "delivered" of one that its receiver has and did not confirm', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    const frame = alice.send({ msg_id: 'm1', to_client_id: 'bob', ext: { receipt: 'delivered' } });
    await untilAcked(alice, 'stored', ['m1']);
    await alice.close();
    confirm(bob, { received: [seqOf(await bob.next())] });
    await bob.expectNothingElse();
    const back = await mailClient(hub.url, 'alice');
    back.send(frame);
    await untilAcked(back, 'stored', ['m1']);
    await untilAcked(back, 'delivered', ['m1']);
  });
});

describe('Mail that expires', () => {
  test('on its way to a receiver that leaves is given up while that one is away', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    alice.send({ msg_id: 'm1', to_client_id: 'bob', ext: { ttl: 0.2, receipt: 'processed' } });
    await untilAcked(alice, 'stored', ['m1']);
    await bob.next();
    // looked at, and left to its receiver
    await pause(900);
    await bob.close();
    expect((await alice.next()).content).toMatchObject({ reply_to: 'm1', code: 'CC_EXPIRED' });
    expect(hub.service.mailStats.mails).toBe(0);
  });

  test('while it is being stored is never sent, and its sender learns of both', async () => {
    const hub = await open();
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    alice.send({ msg_id: 'm1', to_client_id: 'bob', ext: { ttl: 1e-9, receipt: 'processed' } });
    alice.send({ msg_id: 'm2', to_client_id: 'bob' });
    await untilAcked(alice, 'stored', ['m1', 'm2']);
    expect((await alice.next()).content).toMatchObject({ reply_to: 'm1', code: 'CC_EXPIRED' });
    expect((await bob.next()).msg_id).toBe('m2');
    await bob.expectNothingElse();
  });
});

test('Mail that expires while it is being stored stays until it is: its sender gets its ack before the error', () => {
  const expired: string[] = [];
  const mailbox = new Mailbox('bob', {
    maxUnconfirmedBytes: 1,
    redeliveryDelayMs: 1,
    unstoredConfirmMs: 1,
    settledSeq: 1,
    mayShow: () => true,
    read: () => Promise.resolve([]),
    processed: () => undefined,
    delivered: () => undefined,
    rejected: () => true,
    undeliverable: (_, { msgId }, why) => expired.push(`${msgId} ${why}`),
    lost: () => undefined,
  });
  const mail = { seq: 1, fromClientId: 'alice', msgId: 'm1', receipt: undefined, storedAtMs: 0, expiresAtMs: 1_000, sizeBytes: 1, recipients: ['bob'], attempts: undefined, frame: undefined, wasShown: false, ownFrame: () => undefined };
  let state: StoredMail['state'] = 'storing';
  mailbox.add({ ...mail, get state() { return state; } });
  mailbox.expire(1_001);
  expect([expired, mailbox.earliestExpiryMs]).toEqual([[], 1_000]);
  state = 'stored';
  mailbox.expire(1_002);
  expect(expired).toEqual(['m1 expired']);
});

describe('A message to a group', () => {
  test('that a durable member leaves while it is being stored reaches the other members', async () => {
    const hub = await open();
    const [carol, dave] = [await mailClient(hub.url, 'carol'), await mailClient(hub.url, 'dave')];
    await hub.service.joinGroup('team', 'carol', { durable: true });
    await hub.service.joinGroup('team', 'dave');
    const sent = hub.service.sendMessage('hello', 'text', 'group:team', { delivery: 'durable' });
    const left = hub.service.leaveGroup('team', 'carol');
    expect((await sent).receipt).toBe('stored');
    await left;
    for (const member of [carol, dave]) expect((await member.next()).content).toBe('hello');
  });
});

describe('The mailbox of a client id that was revoked', () => {
  test('takes no more mail until that is taken back; what it holds stays', async () => {
    const hub = await open();
    const bob = await mailClient(hub.url, 'bob');
    const alice = await mailClient(hub.url, 'alice');
    await hub.service.joinGroup('team', 'bob', { durable: true });
    await hub.service.joinGroup('team', 'alice');
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    await untilAcked(alice, 'stored', ['m1']);
    hub.service.revoke('bob');
    await bob.closed();
    alice.send({ msg_id: 'm2', to_client_id: 'bob' });
    expect((await alice.next()).content).toMatchObject({ reply_to: 'm2', code: 'CC_UNKNOWN_CLIENT', data: { to_client_id: 'bob' } });
    alice.send({ msg_id: 'm3', to_client_id: 'group:team' });
    await untilAcked(alice, 'live', ['m3']);
    await expect(hub.service.sendMessage('x', 'text', 'bob', { delivery: 'durable' })).rejects.toMatchObject({ code: 'CC_UNKNOWN_CLIENT' });
    hub.service.unrevoke('bob');
    alice.send({ msg_id: 'm4', to_client_id: 'bob' });
    await untilAcked(alice, 'stored', ['m4']);
    const back = await mailClient(hub.url, 'bob');
    expect((await receive(back, 2)).map(({ msg_id }) => msg_id)).toEqual(['m1', 'm4']);
    await back.expectNothingElse();
  });

  test('goes on taking mail where a function of the application cannot say whether it was; senders are told nothing of that', async () => {
    const hub = await open();
    await (await mailClient(hub.url, 'bob')).close();
    const alice = await mailClient(hub.url, 'alice');
    hub.service.revoke(({ clientId }) => {
      if (clientId === 'bob') throw new Error('password-4711');
      return false;
    });
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    await untilAcked(alice, 'stored', ['m1']);
    expect(hub.service.refusalCounts.undecided).toBe(1);
  });
});

describe('The log', () => {
  test('has one line about many dead letters, and later how many there were', async () => {
    const logger = RecordingLogger.install();
    onCleanUp(() => logger.restore());
    const hub = await open({}, { log: true });
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    for (let n = 0; n < 20; n++) alice.send({ to_client_id: 'bob' });
    const seqs = (await receive(bob, 20)).map(seqOf);
    confirm(bob, { rejected: seqs.map((seq) => ({ seq, dead: true })) });
    await bob.expectNothingElse();
    expect(hub.service.deadLetters.list()).toHaveLength(20);
    expect(logger.warnings.filter((line) => line.includes('dead letter'))).toHaveLength(1);
  });
});
