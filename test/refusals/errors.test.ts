import { describe, expect, test } from '@jest/globals';
import { ERROR_CODES, type ErrorCode } from '../../src/protocol/index.js';
import { openHub, until } from '../support/open-hub.js';
import { mailClient } from '../support/mail-client.js';
import { RawClient } from '../support/raw-client.js';
import type { TestHub } from '../../src/testing/index.js';
import { ERROR_ROWS } from './error-rows.js';
import type { ErrorRows } from './stage.js';

const rows = Object.entries(ERROR_ROWS as ErrorRows).flatMap(([code, given]) =>
  [given].flat().map((row, n) => [n === 0 ? code : `${code} (${n + 1})`, code as ErrorCode, row] as const),
);

/** Kinds that were counted, and how often. */
const counted = (hub: TestHub): object => Object.fromEntries(Object.entries(hub.service.refusalCounts).filter(([, count]) => count > 0));

describe('A refusal', () => {
  test.each(rows)('%s is told to a client of protocol 2 in full, and counted', async (_name, code, row) => {
    const hub = await openHub(row.options);
    const alice = await mailClient(hub.url, 'alice');
    await row.provoke({ hub, alice, isOld: false });
    let frame = await alice.next();
    // what went well before
    while (['ack', 'response'].includes(frame.msg_type)) frame = await alice.next();
    const message = [`${code}:`, row.detail, ERROR_CODES[code].text].filter(Boolean).join(' ');
    const expected = { reply_to: row.replyTo === null ? null : 'm', code, message, ...(row.data && { data: row.data }), ...(row.retryAfter && { retry_after: expect.any(Number) }) };
    expect(frame).toEqual({ msg_id: expect.any(String), from_client_id: 'server', to_client_id: expect.any(String), msg_type: 'error', content: expected, timestamp: expect.any(Number), oss_key: null });
    expect(counted(hub)).toEqual(row.counted === undefined ? {} : { [row.counted]: 1 });
  });

  test.each(rows)('%s is not told to an old client, and counted', async (_name, _code, row) => {
    const hub = await openHub(row.options);
    const alice = await RawClient.old(hub.url, 'alice');
    await row.provoke({ hub, alice, isOld: true });
    const kind = row.oldCounted ?? row.counted;
    const expected = kind === undefined || kind === 'nothing' ? {} : { [kind]: expect.any(Number) };
    await until(() => Object.keys(counted(hub)).length >= Object.keys(expected).length, 'the count');
    // a login is answered whatever became of the session before; nothing stands between
    expect(await alice.login('alice')).toMatchObject({ msg_type: 'login_response', content: { status: 'success' } });
    expect(alice.unread).toEqual([]);
    expect(counted(hub)).toEqual(expected);
  });
});
