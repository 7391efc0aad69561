import { describe, expect, test } from '@jest/globals';
import { answerTo } from '../delivery/peers.js';
import { openHub, temporaryDirectory, until } from '../support/open-hub.js';
import { confirm, mailClient, seqOf, untilAcked } from '../support/mail-client.js';

describe('Mail', () => {
  test('older than mailTtlMs is told as CC_EXPIRED; a mailbox whose owner was away for so long is forgotten', async () => {
    const hub = await openHub({ delivery: { mailTtlMs: 200 } });
    await (await mailClient(hub.url, 'bob')).close();
    const alice = await mailClient(hub.url, 'alice');
    alice.send({ msg_id: 'm', to_client_id: 'bob', content: 'x', ext: { receipt: 'processed' } });
    await untilAcked(alice, 'stored', ['m']);
    expect((await alice.next()).content).toMatchObject({ reply_to: 'm', code: 'CC_EXPIRED', data: { to_client_id: 'bob', why: 'expired' } });
    let code: unknown;
    for (let n = 0; n < 40 && code !== 'CC_UNKNOWN_CLIENT'; n++) {
      alice.send({ msg_id: `n${n}`, to_client_id: 'bob', content: 'x', ext: { ttl: 0.001 } });
      code = ((await alice.next()).content as { code?: string }).code;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(code).toBe('CC_UNKNOWN_CLIENT');
  });

  test('is kept for maxMailboxes clients; one more is told that it has none', async () => {
    const hub = await openHub({ delivery: { maxMailboxes: 1 } });
    const bob = await mailClient(hub.url, 'bob');
    expect(bob.mail).toMatchObject({ recovered: true, pending: 0 });
    const carol = await mailClient(hub.url, 'carol');
    expect(carol.mail).toBeUndefined();
    bob.send({ msg_id: 'm', to_client_id: 'carol', content: 'x' });
    await untilAcked(bob, 'live', ['m']);
    expect(await carol.next()).toMatchObject({ content: 'x' });
    // a membership would not last either
    carol.send({ msg_id: 'join', to_client_id: 'server', msg_type: 'request', content: { action: 'groups.join', data: { group: 'g', durable: true } } });
    expect((await carol.next()).content).toMatchObject({ reply_to: 'join', code: 'CC_UNSUPPORTED' });
  });

  test('that is rejected comes again after redeliveryDelayMs, and in the end stays one of maxDeadLetters', async () => {
    const hub = await openHub({ delivery: { redeliveryDelayMs: 20, maxDeliveryAttempts: 2, maxDeadLetters: 1 } });
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    for (const msg_id of ['first', 'second']) {
      alice.send({ msg_id, to_client_id: 'bob', content: msg_id });
      for (const attempt of [undefined, 2]) {
        const startMs = performance.now();
        const frame = await bob.next();
        expect(frame).toMatchObject({ msg_id });
        expect((frame.ext as { attempt?: number }).attempt).toBe(attempt);
        // the default would be a second
        if (attempt === 2) expect(performance.now() - startMs).toBeLessThan(700);
        confirm(bob, { rejected: [{ seq: seqOf(frame) }] });
      }
    }
    await until(() => hub.service.deadLetters.list().some(({ msgId }) => msgId === 'second'), 'the second dead letter');
    expect(hub.service.deadLetters.list().map(({ msgId }) => msgId)).toEqual(['second']);
  });

  test('is on its way to one client up to maxUnconfirmedBytes, whatever it announced', async () => {
    const hub = await openHub({ delivery: { maxUnconfirmedBytes: 2_048 } });
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    const ids = ['1', '2', '3', '4', '5', '6'];
    for (const msg_id of ids) alice.send({ msg_id, to_client_id: 'bob', content: 'x'.repeat(700) });
    await untilAcked(alice, 'stored', ids);
    const frames = [await bob.next(), await bob.next()];
    await bob.expectNothingElse();
    confirm(bob, { up_to: seqOf(frames[1]!) });
    expect((await bob.next()).msg_id).toBe('3');
  });

  test('of a sender is not read beyond maxUnackedBytes until it is stored, and all of it is acked', async () => {
    const hub = await openHub({ delivery: { maxUnackedBytes: 65_536 } });
    await (await mailClient(hub.url, 'bob')).close();
    const alice = await mailClient(hub.url, 'alice');
    const connection = hub.registry.find('alice')!.connection;
    const ids = Array.from({ length: 20 }, (_, n) => String(n));
    for (const msg_id of ids) alice.send({ msg_id, to_client_id: 'bob', content: 'x'.repeat(40_000) });
    let most = 0;
    const timer = setInterval(() => (most = Math.max(most, connection.unackedBytes)), 0);
    await untilAcked(alice, 'stored', ids);
    clearInterval(timer);
    // what one read of the socket brought counts too
    expect(most).toBeLessThan(65_536 + 2 * 65_536);
    expect(connection.unackedBytes).toBe(0);
  });
});

describe('A data directory that another hub has', () => {
  test('ends the start after dataDirWaitMs, or, without requireStore, leaves the second hub without mail', async () => {
    const dataDir = await temporaryDirectory();
    const first = await openHub({ dataDir });
    await expect(openHub({ dataDir, delivery: { dataDirWaitMs: 50 } })).rejects.toMatchObject({ code: 'CC_DATA_DIR_IN_USE' });
    const second = await openHub({ dataDir, delivery: { requireStore: false } });
    const alice = await mailClient(second.url, 'alice');
    expect(alice.mail).toBeUndefined();
    expect(await answerTo(alice, 'ping')).toBeNull();
    await second.close();
    const waiting = openHub({ dataDir, delivery: { dataDirWaitMs: 5_000 } });
    await first.close();
    expect((await mailClient((await waiting).url, 'bob')).mail).toMatchObject({ pending: 0 });
  });
});
