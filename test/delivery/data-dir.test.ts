import { describe, expect, test } from '@jest/globals';
import { mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { confirm, mailClient, receive, seqOf, untilAcked } from '../support/mail-client.js';
import { openHub, pause, temporaryDirectory, until } from '../support/open-hub.js';
import type { RawClient } from '../support/raw-client.js';
import type { TestHub } from '../../src/testing/index.js';

/** Live messages pass, whatever became of the mail. */
async function expectLive(from: RawClient, to: RawClient): Promise<void> {
  from.send({ msg_id: 'live', to_client_id: to.id, content: 'live', ext: { delivery: 'live' } });
  expect((await to.next()).msg_id).toBe('live');
}

async function refusalOf(client: RawClient, msgId: string): Promise<unknown> {
  client.send({ msg_id: msgId, to_client_id: 'bob', content: msgId });
  return (await client.next()).content;
}

/** A hub that was restarted with three messages for bob, each in a segment of its own; none is in memory. */
async function hubWithMail(dataDir: string): Promise<TestHub> {
  const delivery = { segmentBytes: 65_536 };
  const before = await openHub({ dataDir, delivery });
  const bob = await mailClient(before.url, 'bob');
  await bob.close();
  const alice = await mailClient(before.url, 'alice');
  for (const id of ['m1', 'm2', 'm3']) {
    alice.send({ msg_id: id, to_client_id: 'bob', content: id.repeat(40_000) });
    await untilAcked(alice, 'stored', [id]);
  }
  await before.close();
  return openHub({ dataDir, delivery });
}

describe('A data directory', () => {
  test.each(['with a space', 'ümläut 日本', "quote's $HOME %20 #x", 'back\\slash', 'x'.repeat(150)])('may be called %p', async (name) => {
    const dataDir = join(await temporaryDirectory(), name, 'data');
    const hub = await hubWithMail(dataDir);
    const bob = await mailClient(hub.url, 'bob');
    expect((await receive(bob, 3)).map(({ msg_id }) => msg_id)).toEqual(['m1', 'm2', 'm3']);
  });

  test('may be a symbolic link, and is one and the same by both names', async () => {
    const directory = await temporaryDirectory();
    await mkdir(join(directory, 'real'));
    await symlink(join(directory, 'real'), join(directory, 'link'));
    await hubWithMail(join(directory, 'link'));
    await expect(openHub({ dataDir: join(directory, 'real'), delivery: { dataDirWaitMs: 0 } })).rejects.toMatchObject({ code: 'CC_DATA_DIR_IN_USE' });
  });

  test.each([
    ['is a file', (dataDir: string) => writeFile(dataDir, '')],
    ['holds a file in place of the mail', async (dataDir: string) => {
      await mkdir(dataDir);
      await writeFile(join(dataDir, 'mail'), '');
    }],
    ['is a link to nowhere', (dataDir: string) => symlink('/nowhere/at/all', dataDir)],
  ])('that %s is refused with a code', async (_, spoil) => {
    const dataDir = join(await temporaryDirectory(), 'data');
    await spoil(dataDir);
    await expect(openHub({ dataDir })).rejects.toMatchObject({ code: 'CC_STORE_FAILED' });
  });

  test('that is deleted while the hub runs ends the mail, not the hub', async () => {
    const dataDir = join(await temporaryDirectory(), 'data');
    const hub = await openHub({ dataDir });
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    expect(await refusalOf(alice, 'm1')).toMatchObject({ receipt: 'stored' });
    expect((await bob.next()).msg_id).toBe('m1');
    await rm(dataDir, { recursive: true });
    await pause(1_050);
    // its receiver has it before it is found that it cannot be stored
    alice.send({ msg_id: 'm2', to_client_id: 'bob' });
    const mail = await bob.next();
    await until(() => hub.service.mailStats.state === 'failed', 'the end of the store');
    expect(await refusalOf(alice, 'm3')).toMatchObject({ reply_to: 'm3', code: 'CC_STORE_FAILED' });
    confirm(bob, { up_to: seqOf(mail) });
    await untilAcked(alice, 'stored', ['m2']);
    await expectLive(alice, bob);
  });
});

describe('A segment', () => {
  test.each([
    ['deleted', (path: string) => rm(path)],
    ['cut off', (path: string) => truncate(path, 500)],
    ['overwritten', (path: string) => writeFile(path, Buffer.alloc(200_000, '{"msg_type": "text"}'))],
  ])('that somebody has %s while the hub runs loses its mail to the dead letters, and no other', async (_, spoil) => {
    const dataDir = join(await temporaryDirectory(), 'data');
    const hub = await hubWithMail(dataDir);
    await spoil(join(dataDir, 'mail', 'mail-00000002.log'));
    const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob')];
    expect((await receive(bob, 2)).map(({ msg_id }) => msg_id)).toEqual(['m1', 'm3']);
    expect(hub.service.deadLetters.list()).toEqual([expect.objectContaining({ msgId: 'm2', clientId: 'bob', reason: 'unreadable' })]);
    expect(await refusalOf(alice, 'm4')).toMatchObject({ receipt: 'stored' });
    expect((await bob.next()).msg_id).toBe('m4');
    await expectLive(alice, bob);
  });
});
