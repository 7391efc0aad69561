import { describe, expect, test } from '@jest/globals';
import { CloseCode, ERROR_CODES } from '../../src/protocol/index.js';
import { openHub } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import type { TestHub } from '../../src/testing/index.js';
import { CLOSE_ROWS, type CloseRow } from './close-rows.js';

const rows = Object.entries(CLOSE_ROWS).flatMap(([name, ways]) => ways.map((row) => [CloseCode[name as keyof typeof CloseCode], row.what, row] as const));

const counted = (hub: TestHub): object => Object.fromEntries(Object.entries(hub.service.refusalCounts).filter(([, count]) => count > 0));

async function play(row: CloseRow, isOld: boolean): Promise<{ hub: TestHub; alice: RawClient }> {
  const hub = await openHub(row.options);
  const alice = await RawClient.connect(hub.url);
  const login = (id = 'alice', more: object = {}): void => {
    alice.id = id;
    alice.send({ msg_type: 'login', content: isOld ? {} : { cross_comm: { protocol: 2, ...more } } });
  };
  if (row.isBeforeLogin !== true) {
    login();
    expect((await alice.next()).content).toMatchObject({ status: 'success' });
  }
  await row.provoke({ hub, alice, isOld }, login);
  return { hub, alice };
}

/** The frames that tell of a close, without what others sent. */
const toldBy = ({ unread }: RawClient): object[] => unread.map((text) => JSON.parse(text) as { msg_type: string; content: object }).filter(({ msg_type }) => msg_type !== 'text');

describe('A connection is closed', () => {
  test.each(rows)('with %i for %s; a client of protocol 2 is told why', async (code, _what, row) => {
    const { hub, alice } = await play(row, false);
    expect(await alice.closed(8_000)).toEqual({ code, reason: row.reason });
    expect(counted(hub)).toEqual(row.counted ?? {});
    const frames = toldBy(alice);
    if (row.told === undefined) {
      expect(frames).toEqual([]);
      return;
    }
    const { as, detail, retryAfter } = row.told;
    const content = { code: row.told.code, message: [`${row.told.code}:`, detail, ERROR_CODES[row.told.code].text].filter(Boolean).join(' '), ...(retryAfter && { retry_after: expect.any(Number) }) };
    expect(frames.at(-1)).toMatchObject({ from_client_id: 'server', msg_type: as === 'login' ? 'login_response' : 'error' });
    expect((frames.at(-1) as { content: object }).content).toEqual(as === 'login' ? { status: 'error', ...content } : { reply_to: null, ...content });
  });

  test.each(rows.filter(([, , { only }]) => only === undefined))('with %i for %s; an old client sees nothing but that', async (code, _what, row) => {
    const { hub, alice } = await play(row, true);
    expect(await alice.closed(8_000)).toEqual({ code, reason: row.reason });
    expect(toldBy(alice)).toEqual([]);
    expect(counted(hub)).toEqual(row.counted ?? {});
  });
});
