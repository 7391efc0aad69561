import { describe, expect, test } from '@jest/globals';
import type { Connection } from '../../src/clients/index.js';
import type { MailboxEvents } from '../../src/delivery/mailbox-events.js';
import { Mailbox } from '../../src/delivery/mailbox.js';
import type { StoredMail } from '../../src/delivery/store/index.js';
import { RecordingLogger } from '../module/recording.logger.js';
import { onCleanUp } from '../support/clean-up.js';
import { confirm, mailClient, receive, seqOf, untilAcked } from '../support/mail-client.js';
import { openHub, until } from '../support/open-hub.js';

describe('Durable messages of a hostile client', () => {
  test('have a msg_id of at most 1,024 characters, because it is kept in memory; live ones may have any', async () => {
    const { url } = await openHub();
    const [alice, bob] = [await mailClient(url, 'alice'), await mailClient(url, 'bob')];
    alice.send({ msg_id: 'x'.repeat(1_025), to_client_id: 'bob', content: 'refused' });
    expect((await alice.next()).content).toMatchObject({ reply_to: null, code: 'CC_INVALID_CONTENT' });
    alice.send({ msg_id: 'x'.repeat(1_025), to_client_id: 'bob', content: 'live', ext: { delivery: 'live' } });
    alice.send({ msg_id: 'x'.repeat(1_024), to_client_id: 'bob', content: 'durable' });
    expect((await receive(bob, 2)).map(({ content }) => content)).toEqual(['live', 'durable']);
    await untilAcked(alice, 'stored', ['x'.repeat(1_024)]);
  });

  test('are all acked to a client that takes small messages only', async () => {
    const { url } = await openHub();
    await mailClient(url, 'bob');
    const alice = await mailClient(url, 'alice', { limits: { max_message_bytes: 1_024 } });
    const msgIds = Array.from({ length: 100 }, (_, n) => `alice_1234567890123_${String(n).padStart(8, '0')}`);
    for (const msg_id of msgIds) alice.send({ msg_id, to_client_id: 'bob', content: 'x' });
    await untilAcked(alice, 'stored', msgIds);
  });

  test('make one line in the log, however many become dead letters', async () => {
    const logger = RecordingLogger.install();
    onCleanUp(() => logger.restore());
    const hub = await openHub({ log: true });
    const eve = await mailClient(hub.url, 'eve');
    for (let n = 0; n < 50; n++) eve.send({ to_client_id: 'eve', content: 'x' });
    await until(() => eve.unread.filter((text) => text.includes('"seq"')).length === 50, 'its mail');
    const mail = (await receive(eve, eve.unread.length)).filter(({ msg_type }) => msg_type === 'text');
    confirm(eve, { rejected: mail.map((frame) => ({ seq: seqOf(frame), dead: true })) });
    await until(() => hub.service.deadLetters.list().length === 50, 'the dead letters');
    expect(logger.warnings.filter((line) => line.includes('dead letter')).length).toBe(1);
  });
});

test('A mailbox knows its position however much of it is on its way', () => {
  const mailbox = new Mailbox('alice', { maxUnconfirmedBytes: Infinity, settledSeq: Infinity } as MailboxEvents);
  const connection = { can: () => true, send: () => 'sent' } as unknown as Connection;
  mailbox.attach(connection, Infinity);
  mailbox.release(connection);
  for (let seq = 5; seq < 300_000; seq++) mailbox.add({ seq, sizeBytes: 1, frame: Buffer.alloc(0), expiresAtMs: Infinity, state: 'stored' } as unknown as StoredMail);
  expect(mailbox.position).toBe(4);
});
