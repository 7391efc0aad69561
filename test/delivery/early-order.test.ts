import { describe, expect, test } from '@jest/globals';
import { MessageListener, type Message } from '../../src/index.js';
import { confirm, mailClient, receive, seqOf, untilAcked } from '../support/mail-client.js';
import type { RawClient } from '../support/raw-client.js';
import type { WireFrame } from '../support/wire.js';
import { heldPair, openHubOnHeldDisk, settled } from './held-disk.js';

const idsOf = (client: RawClient, count: number): Promise<string[]> => receive(client, count).then((frames) => frames.map(({ msg_id }) => msg_id));

class Ear {
  static readonly heard: unknown[] = [];

  @MessageListener({ fromClientId: 'alice' })
  hear({ content }: Message): void {
    Ear.heard.push(content);
  }
}

describe('Nothing overtakes', () => {
  test('mail that waits for room, for the disk, or for the end of a predecessor', async () => {
    const { hub, disk, alice, bob } = await heldPair({}, 'datasync', { limits: { max_unconfirmed: 2 } });
    const ids = Array.from({ length: 6 }, (_, n) => `m${n}`);
    for (const msg_id of ids.slice(0, 3)) alice.send({ msg_id, to_client_id: 'bob' });
    const sent = (await receive(bob, 2)) as [WireFrame, WireFrame];
    await bob.expectNothingElse();
    const next = await mailClient(hub.url, 'bob', { limits: { max_unconfirmed: 3 } });
    for (const msg_id of ids.slice(3)) alice.send({ msg_id, to_client_id: 'bob' });
    await alice.expectNothingElse();
    await next.expectNothingElse();
    confirm(bob, { up_to: seqOf(sent[0]) });
    await untilAcked(alice, 'stored', ['m0']);
    await bob.closed();
    const got = (await receive(next, 3)) as [WireFrame, WireFrame, WireFrame, ...WireFrame[]];
    disk.release();
    await untilAcked(alice, 'stored', ids.slice(1));
    confirm(next, { up_to: seqOf(got[2]) });
    got.push(...(await receive(next, 2)));
    expect(got.map(({ msg_id }) => msg_id)).toEqual(ids.slice(1));
  });

  test('a message to a group, whether its members keep mail for it or get it live', async () => {
    const { hub, disk } = await openHubOnHeldDisk();
    const [alice, bob, carol] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob'), await mailClient(hub.url, 'carol')];
    await hub.service.joinGroup('team', 'bob', { durable: true });
    await hub.service.joinGroup('team', 'carol');
    await settled(hub);
    disk.hold();
    const ids = Array.from({ length: 12 }, (_, n) => `m${n}`);
    for (const [n, msg_id] of ids.entries()) alice.send({ msg_id, to_client_id: ['group:team', 'carol', 'bob'][n % 3] as string });
    await alice.expectNothingElse();
    disk.release();
    expect(await idsOf(carol, 8)).toEqual(ids.filter((_, n) => n % 3 !== 2));
    expect(await idsOf(bob, 8)).toEqual(ids.filter((_, n) => n % 3 !== 1));
    await untilAcked(alice, 'stored', ids);
  });

  test('what listeners on the hub hear, in whatever order their receivers confirm', async () => {
    Ear.heard.length = 0;
    const { hub, disk, alice, bob } = await heldPair({ providers: [Ear] });
    for (let n = 0; n < 3; n++) alice.send({ msg_id: `m${n}`, to_client_id: 'bob', content: n });
    await alice.expectNothingElse();
    confirm(bob, { seqs: bob.unread.map((text) => seqOf(JSON.parse(text))).slice(1) });
    await alice.expectNothingElse();
    disk.release();
    await untilAcked(alice, 'stored', ['m0', 'm1', 'm2']);
    await settled(hub);
    expect(Ear.heard).toEqual([0, 1, 2]);
  });
});
