import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startStore, type StoreFixture } from './store-fixture.js';

const PAGE = 'https://app.example.com';
const corsHeaders = ({ headers }: Response) => [...headers.keys()].filter((name) => name.startsWith('access-control-'));

describe('pages of other origins', () => {
  let fixture: StoreFixture;
  let url: string;
  const send = (method: string, origin: string, body?: string) => fetch(url, { method, headers: { origin }, ...(body === undefined ? {} : { body: new Blob([body]) }) });
  beforeEach(async () => {
    fixture = await startStore();
    url = fixture.url + (await fixture.store.storage.signUrl({ method: 'PUT', key: 'cross_comm/page/a b.txt', expiresSeconds: 60 }));
  });
  afterEach(() => fixture.close());

  test('get no CORS header from a store that allows none, and their preflight is refused', async () => {
    for (const method of ['OPTIONS', 'PUT']) {
      const response = await send(method, PAGE);
      expect(corsHeaders(response)).toEqual([]);
      expect(response.headers.get('vary')).toBe('Origin');
      expect(response.ok).toBe(method === 'PUT');
    }
  });

  test('get none either when another origin is allowed', async () => {
    fixture.store.handler.allowOrigins((origin) => origin === 'https://other.example.com');
    const response = await send('OPTIONS', PAGE);
    expect([response.ok, corsHeaders(response)]).toEqual([false, []]);
  });

  test('pass their preflight, write and read when theirs is allowed, without credentials', async () => {
    fixture.store.handler.allowOrigins((origin) => origin === PAGE);
    const preflight = await send('OPTIONS', PAGE);
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-methods': expect.stringContaining('PUT'),
      'access-control-allow-headers': '*',
      vary: 'Origin',
    });
    expect(preflight.headers.has('access-control-allow-credentials')).toBe(false);
    const written = await send('PUT', PAGE, 'content');
    expect([written.status, written.headers.get('access-control-allow-origin')]).toEqual([200, PAGE]);
    expect(written.headers.get('access-control-expose-headers')).toBe('*');
    url = fixture.url + (await fixture.store.storage.signUrl({ method: 'GET', key: 'cross_comm/page/a b.txt', expiresSeconds: 60 }));
    const read = await send('GET', PAGE);
    expect([await read.text(), read.headers.get('access-control-allow-origin')]).toEqual(['content', PAGE]);
  });

  test('are told why a request was refused when theirs is allowed', async () => {
    fixture.store.handler.allowOrigins(() => true);
    url = url.replace(/x-oss-signature=.{8}/, 'x-oss-signature=00000000');
    const response = await send('PUT', PAGE, 'content');
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([403, PAGE]);
  });
});
