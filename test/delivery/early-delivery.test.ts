import { describe, expect, test } from '@jest/globals';
import { Mailboxes } from '../../src/delivery/index.js';
import type { Mailbox } from '../../src/delivery/mailbox.js';
import type { StoredMail } from '../../src/delivery/store/index.js';
import type { TestHub } from '../../src/testing/index.js';
import { confirm, mailClient, receive, seqOf, untilAcked } from '../support/mail-client.js';
import { openHub, temporaryDirectory, until } from '../support/open-hub.js';
import { heldPair, openHubOnHeldDisk, settled } from './held-disk.js';

const mailboxOf = (hub: TestHub, clientId: string): Mailbox => hub.app.get(Mailboxes).find(clientId) as Mailbox;

describe('A message that is not stored yet', () => {
  test('is sent to its receiver; its sender gets its ack when it is stored', async () => {
    const { disk, alice, bob } = await heldPair();
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    expect((await bob.next()).msg_id).toBe('m1');
    await alice.expectNothingElse();
    disk.release();
    await untilAcked(alice, 'stored', ['m1']);
    await bob.expectNothingElse();
  });

  test('is acked when its receiver has confirmed it, before the disk is done; "processed" comes after "stored"', async () => {
    const { hub, disk, alice, bob } = await heldPair();
    alice.send({ msg_id: 'm1', to_client_id: 'bob', ext: { receipt: 'processed' } });
    confirm(bob, { up_to: seqOf(await bob.next()) });
    await untilAcked(alice, 'stored', ['m1']);
    await untilAcked(alice, 'processed', ['m1']);
    expect(mailboxOf(hub, 'bob')).toMatchObject({ count: 0, bytes: 0 });
    disk.release();
    await settled(hub);
    await alice.expectNothingElse();
    await bob.expectNothingElse();
  });

  test('waits for the disk where the hub delivers nothing before', async () => {
    const { disk, alice, bob } = await heldPair({ delivery: { deliverWhileStoring: false } });
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    await alice.expectNothingElse();
    await bob.expectNothingElse();
    disk.release();
    expect((await bob.next()).msg_id).toBe('m1');
    await untilAcked(alice, 'stored', ['m1']);
  });

  test('and is sent again meanwhile is delivered once and answered as often as it was sent', async () => {
    const { disk, alice, bob } = await heldPair();
    const sent = alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    alice.send(sent);
    expect((await bob.next()).msg_id).toBe('m1');
    await alice.expectNothingElse();
    disk.release();
    expect((await alice.next()).content).toEqual({ receipt: 'stored', msg_ids: ['m1', 'm1'] });
    await alice.expectNothingElse();
    await bob.expectNothingElse();
  });

  test('waits for the disk when its receiver cannot confirm, takes no message of that size, or is not here', async () => {
    const { hub, disk, alice, bob } = await heldPair();
    const carol = await mailClient(hub.url, 'carol');
    await bob.close();
    await until(() => hub.registry.find('bob') === undefined, 'bob to be gone');
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    alice.send({ msg_id: 'm2', to_client_id: 'carol', content: 'x'.repeat(3_000) });
    expect((await carol.next()).msg_id).toBe('m2');
    await carol.close();
    // what it was sent before is now too large for it
    const back = await mailClient(hub.url, 'carol', { limits: { max_message_bytes: 2_048 } });
    await back.expectNothingElse();
    disk.release();
    await untilAcked(alice, 'stored', ['m1', 'm2']);
    await until(() => hub.service.deadLetters.list().length === 1, 'the dead letter');
    expect(hub.service.deadLetters.list()[0]).toMatchObject({ msgId: 'm2', reason: 'too_large' });
    expect((await (await mailClient(hub.url, 'bob')).next()).msg_id).toBe('m1');
  });

  test('is confirmed by a connection that another took over; the other one does not get it', async () => {
    const { hub, disk, alice, bob } = await heldPair();
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    const seq = seqOf(await bob.next());
    const next = await mailClient(hub.url, 'bob');
    confirm(bob, { seqs: [seq] });
    await untilAcked(alice, 'stored', ['m1']);
    await bob.closed();
    disk.release();
    await settled(hub);
    await next.expectNothingElse();
    expect(mailboxOf(hub, 'bob')).toMatchObject({ count: 0, bytes: 0 });
  });

  test('is acked when its receiver comes back behind it, and when the hub shuts down', async () => {
    const { hub, disk, alice, bob } = await heldPair();
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    const seq = seqOf(await bob.next());
    await bob.close();
    const back = await mailClient(hub.url, 'bob', { resume: { epoch: bob.mail.epoch, seq } });
    expect(back.mail).toMatchObject({ seq, recovered: true, pending: 0 });
    await untilAcked(alice, 'stored', ['m1']);
    alice.send({ msg_id: 'm2', to_client_id: 'bob' });
    expect((await back.next()).msg_id).toBe('m2');
    const closing = hub.close();
    expect((await alice.next()).content).toMatchObject({ code: 'CC_SHUTTING_DOWN' });
    disk.release();
    await untilAcked(alice, 'stored', ['m2']);
    expect((await alice.closed()).code).toBe(1012);
    await closing;
  });
});

describe('A message that its receiver has and the store refuses', () => {
  test('is acked when its receiver confirms it; what nobody has is refused', async () => {
    const { hub, disk, alice, bob } = await heldPair({}, 'write');
    await mailClient(hub.url, 'dave').then((dave) => dave.close());
    await until(() => hub.registry.find('dave') === undefined, 'dave to be gone');
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    alice.send({ msg_id: 'm2', to_client_id: 'dave' });
    const seq = seqOf(await bob.next());
    disk.fail('ENOSPC');
    expect((await alice.next()).content).toMatchObject({ reply_to: 'm2', code: 'CC_STORE_FULL' });
    await alice.expectNothingElse();
    expect(mailboxOf(hub, 'dave')).toMatchObject({ count: 0, bytes: 0 });
    confirm(bob, { up_to: seq });
    await untilAcked(alice, 'stored', ['m1']);
    expect(mailboxOf(hub, 'bob')).toMatchObject({ count: 0, bytes: 0 });
  });

  test.each(['leaves', 'rejects it', 'has rejected it', 'says nothing in time'])('is CC_DELIVERY_UNKNOWN when its receiver %s; sent again it is a new one', async (what) => {
    const { hub, disk, alice, bob } = await heldPair({ delivery: { unstoredConfirmMs: what === 'says nothing in time' ? 50 : 60_000 } }, 'write');
    const sent = alice.send({ msg_id: 'm1', to_client_id: 'bob', ext: { receipt: 'processed' } });
    alice.send(sent);
    const seq = seqOf(await bob.next());
    if (what === 'has rejected it') confirm(bob, { rejected: [{ seq }] });
    await bob.expectNothingElse();
    disk.fail('ENOSPC');
    await until(() => hub.service.mailStats.state === 'full', 'a full disk');
    if (what === 'leaves') await bob.close();
    if (what === 'rejects it') confirm(bob, { rejected: [{ seq, dead: true }] });
    for (let answers = 0; answers < 2; answers++) expect((await alice.next()).content).toMatchObject({ reply_to: 'm1', code: 'CC_DELIVERY_UNKNOWN' });
    await alice.expectNothingElse();
    expect(mailboxOf(hub, 'bob')).toMatchObject({ count: 0, bytes: 0 });
    expect(hub.service.deadLetters.list()).toEqual([]);
    disk.release();
    // tried every half second
    await until(() => (alice.send(sent), hub.service.mailStats.state === 'open'), 'space');
    const again = what === 'leaves' ? await mailClient(hub.url, 'bob') : bob;
    const mail = await again.next();
    expect([mail.msg_id, seqOf(mail) > seq]).toEqual(['m1', true]);
  });

  test('and that one confirms is known over restarts as soon as there is space again', async () => {
    const dataDir = await temporaryDirectory();
    const { hub, disk, alice, bob } = await heldPair({ dataDir }, 'write');
    const sent = alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    const seq = seqOf(await bob.next());
    disk.fail('ENOSPC');
    await until(() => hub.service.mailStats.state === 'full', 'a full disk');
    confirm(bob, { up_to: seq });
    await untilAcked(alice, 'stored', ['m1']);
    disk.release();
    // tried every half second
    await until(() => (alice.send({ to_client_id: 'alice' }), hub.service.mailStats.state === 'open'), 'space');
    await hub.close();
    const { url } = await openHub({ dataDir });
    const [back, again] = [await mailClient(url, 'bob'), await mailClient(url, 'alice')];
    again.send(sent);
    await until(() => again.unread.some((text) => text.includes('"m1"')), 'the ack');
    await back.expectNothingElse();
  });

  test('is given up for a promise of the hub, too', async () => {
    const { hub, disk, bob } = await heldPair();
    const sent = hub.service.sendMessage('hello', 'text', 'bob', { delivery: 'durable' });
    await bob.next();
    disk.fail('EIO');
    await until(() => hub.service.mailStats.state === 'failed', 'the end of the store');
    const answers = await Promise.allSettled([sent, bob.close()]);
    expect(answers[0]).toMatchObject({ status: 'rejected', reason: { code: 'CC_DELIVERY_UNKNOWN' } });
  });

  test('lets what waited behind it go on when it was rejected before', async () => {
    const { disk, hub, alice, bob } = await heldPair({}, 'write', { limits: { max_unconfirmed: 1 } });
    disk.release();
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    const first = seqOf(await bob.next());
    await untilAcked(alice, 'stored', ['m1']);
    confirm(bob, { rejected: [{ seq: first, delay: 0.1 }] });
    await bob.expectNothingElse();
    disk.hold('write');
    alice.send({ msg_id: 'm2', to_client_id: 'bob' });
    const second = await bob.next();
    expect(second.msg_id).toBe('m2');
    confirm(bob, { rejected: [{ seq: seqOf(second) }] });
    await bob.expectNothingElse();
    await bob.expectSilence(200);
    disk.fail('ENOSPC');
    expect((await alice.next()).content).toMatchObject({ reply_to: 'm2', code: 'CC_DELIVERY_UNKNOWN' });
    expect((await bob.next()).msg_id).toBe('m1');
    expect(mailboxOf(hub, 'bob').count).toBe(1);
  });

  test('leaves the counts of a group alone whose members confirmed what they were not sent', async () => {
    const { hub, disk } = await openHubOnHeldDisk();
    const [alice, bob, carol] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob'), await mailClient(hub.url, 'carol')];
    for (const member of ['bob', 'carol']) await hub.service.joinGroup('team', member, { durable: true });
    await settled(hub);
    disk.hold('write');
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    const seq = seqOf(await bob.next());
    alice.send({ msg_id: 'm2', to_client_id: 'group:team' });
    await alice.expectNothingElse();
    confirm(carol, { seqs: [seq + 1] });
    await carol.expectNothingElse();
    disk.fail('ENOSPC');
    expect((await alice.next()).content).toMatchObject({ reply_to: 'm2', code: 'CC_STORE_FULL' });
    expect(['bob', 'carol'].map((id) => mailboxOf(hub, id).count)).toEqual([1, 0]);
  });
});

describe('What a receiver says of a message that is not stored', () => {
  test('is heeded when it is stored: arrival and rejection, behind the ack', async () => {
    const { hub, disk, alice, bob } = await heldPair();
    for (const msg_id of ['m1', 'm2']) alice.send({ msg_id, to_client_id: 'bob', ext: { receipt: 'delivered' } });
    const [first, second] = (await receive(bob, 2)).map(seqOf);
    confirm(bob, { received: [first, second] });
    confirm(bob, { rejected: [{ seq: first, delay: 0.05 }, { seq: second, dead: true }] });
    // means what is on its way, and what was rejected is not
    confirm(bob, { received: [first], up_to: second });
    await bob.expectNothingElse();
    await alice.expectNothingElse();
    disk.release();
    await untilAcked(alice, 'stored', ['m1', 'm2']);
    const told = await receive(alice, 2);
    expect(told.map(({ content }) => content)).toEqual(
      expect.arrayContaining([
        { receipt: 'delivered', msg_ids: ['m1', 'm2'] },
        expect.objectContaining({ reply_to: 'm2', code: 'CC_DEAD_LETTER' }),
      ]),
    );
    expect(await bob.next()).toMatchObject({ msg_id: 'm1', ext: { seq: first, attempt: 2 } });
    expect(hub.service.deadLetters.list()).toMatchObject([{ seq: second, reason: 'rejected' }]);
  });

  test('outlives its connection: what was rejected does not come again before that counts', async () => {
    const { disk, alice, bob } = await heldPair();
    for (const msg_id of ['m1', 'm2']) alice.send({ msg_id, to_client_id: 'bob' });
    const seqs = (await receive(bob, 2)).map(seqOf);
    confirm(bob, { rejected: [{ seq: seqs[0], delay: 0.05 }] });
    await bob.expectNothingElse();
    await bob.close();
    const back = await mailClient(bob.socket.url, 'bob');
    await back.expectNothingElse();
    disk.release();
    await untilAcked(alice, 'stored', ['m1', 'm2']);
    expect((await receive(back, 2)).map(({ msg_id, ext }) => [msg_id, (ext as { attempt?: number }).attempt])).toEqual([['m2', undefined], ['m1', 2]]);
  });

  test('that it is rejected stands against the "up to" of a connection that was taken over, which need not be waited for', async () => {
    const { hub, disk, alice, bob } = await heldPair({ closeTimeoutMs: 3_000 });
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    alice.send({ msg_id: 'm2', to_client_id: 'bob' });
    const [first, second] = (await receive(bob, 2)).map(seqOf);
    confirm(bob, { rejected: [{ seq: first, delay: 0.05 }] });
    await bob.expectNothingElse();
    const next = await mailClient(hub.url, 'bob');
    confirm(bob, { up_to: second });
    await bob.closed(2_000);
    await untilAcked(alice, 'stored', ['m2']);
    disk.release();
    await untilAcked(alice, 'stored', ['m1']);
    expect(await next.next()).toMatchObject({ msg_id: 'm1', ext: { attempt: 2 } });
  });

  test('is forgotten when it is done with it before', async () => {
    const { hub, disk, alice, bob } = await heldPair();
    alice.send({ msg_id: 'm1', to_client_id: 'bob' });
    const seq = seqOf(await bob.next());
    confirm(bob, { received: [seq] });
    confirm(bob, { rejected: [{ seq }] });
    confirm(bob, { seqs: [seq] });
    await untilAcked(alice, 'stored', ['m1']);
    expect(mailboxOf(hub, 'bob').awaits({ seq } as StoredMail)).toBe(false);
    disk.release();
    await settled(hub);
    await bob.expectNothingElse();
  });
});
