import { describe, expect, test } from '@jest/globals';
import { openHub } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { wireFrame, type WireFrame } from '../support/wire.js';

const MIB = 1_048_576;

/** A frame of exactly so many bytes. */
function frameOf(bytes: number, from: string, to: string): WireFrame {
  const frame = wireFrame({ from_client_id: from, to_client_id: to, timestamp: 1.5 });
  return { ...frame, content: 'x'.repeat(bytes - JSON.stringify(frame).length) };
}

describe('Size limits', () => {
  test('a message of exactly 1 MiB passes', async () => {
    const { url } = await openHub();
    const [alice, bob] = [await RawClient.old(url, 'alice'), await RawClient.old(url, 'bob')];
    const sent = alice.send(frameOf(MIB, 'alice', 'bob'));
    expect(Buffer.byteLength(sent)).toBe(MIB);
    expect((await bob.nextText()) === sent).toBe(true);
  });

  test('one byte more closes its sender with 1009, at once offline, and nobody else', async () => {
    const { url } = await openHub();
    const [alice, bob] = [await RawClient.old(url, 'alice'), await RawClient.old(url, 'bob')];
    alice.send(frameOf(MIB + 1, 'alice', 'bob'));
    expect((await alice.closed()).code).toBe(1009);
    expect(await bob.list(true)).toEqual(['bob']);
  });

  test('fragments count together', async () => {
    const { url } = await openHub();
    const alice = await RawClient.old(url, 'alice');
    for (let i = 0; i < 5; i++) alice.socket.send('x'.repeat(300_000), { fin: false });
    expect((await alice.closed()).code).toBe(1009);
  });

  test('maxMessageBytes raises the limit', async () => {
    const { url } = await openHub({ maxMessageBytes: 4 * MIB });
    const alice = await RawClient.old(url, 'alice');
    const bob = await RawClient.announced(url, 'bob', { max_message_bytes: 4 * MIB });
    const sent = alice.send(frameOf(4 * MIB, 'alice', 'bob'));
    expect((await bob.nextText()) === sent).toBe(true);
  });

  test('a message larger than maxBufferedBytes reaches a receiver that has nothing waiting', async () => {
    const { url } = await openHub({ maxMessageBytes: 4 * MIB, maxBufferedBytes: 2 * MIB });
    const alice = await RawClient.old(url, 'alice');
    const bob = await RawClient.announced(url, 'bob', { max_message_bytes: 4 * MIB });
    const sent = alice.send(frameOf(3 * MIB, 'alice', 'bob'));
    expect((await bob.nextText()) === sent).toBe(true);
  });

  test('a message an old receiver would die of is bounced: an announced sender gets CC_RECEIVER_LIMIT', async () => {
    const { url } = await openHub({ maxMessageBytes: 4 * MIB });
    const [alice, bob] = [await RawClient.announced(url, 'alice'), await RawClient.old(url, 'bob')];
    const { msg_id } = JSON.parse(alice.send(frameOf(2 * MIB, 'alice', 'bob'))) as WireFrame;
    expect((await alice.next()).content).toMatchObject({ reply_to: msg_id, code: 'CC_RECEIVER_LIMIT', data: { to_client_id: 'bob' } });
    await bob.expectNothingElse();
  });

  test('an old sender hears nothing of it', async () => {
    const { url } = await openHub({ maxMessageBytes: 4 * MIB });
    const [alice, bob] = [await RawClient.old(url, 'alice'), await RawClient.old(url, 'bob')];
    alice.send(frameOf(2 * MIB, 'alice', 'bob'));
    await alice.expectNothingElse();
    await bob.expectNothingElse();
  });

  test('a broadcast reaches those who can take it and reports that not all could', async () => {
    const { url } = await openHub({ maxMessageBytes: 4 * MIB });
    const [alice, small] = [await RawClient.announced(url, 'alice'), await RawClient.old(url, 'small')];
    const large = await RawClient.announced(url, 'large', { max_message_bytes: 4 * MIB });
    const sent = alice.send(frameOf(2 * MIB, 'alice', 'all'));
    expect((await large.nextText()) === sent).toBe(true);
    expect((await alice.next()).content).toMatchObject({ code: 'CC_RECEIVER_LIMIT' });
    await small.expectNothingElse();
  });

  test('a receiver that announced less than 1 MiB gets no more than that', async () => {
    const { url } = await openHub();
    const alice = await RawClient.announced(url, 'alice');
    const bob = await RawClient.announced(url, 'bob', { max_message_bytes: 2_000 });
    alice.send(frameOf(2_001, 'alice', 'bob'));
    expect((await alice.next()).content).toMatchObject({ code: 'CC_RECEIVER_LIMIT' });
    const sent = alice.send(frameOf(2_000, 'alice', 'bob'));
    expect(await bob.nextText()).toBe(sent);
  });
});
