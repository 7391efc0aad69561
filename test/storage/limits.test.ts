import { afterEach, describe, expect, test } from '@jest/globals';
import { answerTo, peer } from '../delivery/peers.js';
import { openHub } from '../support/open-hub.js';
import { startStore, type StoreFixture } from './store-fixture.js';

let fixture: StoreFixture;

afterEach(() => fixture?.close());

describe('The embedded store refuses', () => {
  test('one more open upload than maxOpenUploads, until one has ended', async () => {
    fixture = await startStore({ maxOpenUploads: 1 });
    const oss = fixture.oss();
    const { uploadId } = await oss.initMultipartUpload('a');
    await expect(oss.initMultipartUpload('b')).rejects.toMatchObject({ code: 'TooManyUploads', status: 503 });
    await oss.abortMultipartUpload('a', uploadId);
    await oss.initMultipartUpload('b');
  });

  test('an XML body beyond maxXmlBytes', async () => {
    fixture = await startStore({ maxXmlBytes: 1_024 });
    const oss = fixture.oss();
    await expect(oss.deleteMulti(Array.from({ length: 100 }, (_, n) => `key-${n}`), { quiet: true })).rejects.toMatchObject({ code: 'EntityTooLarge', status: 400 });
    await oss.deleteMulti(['a'], { quiet: true });
  });

  test('a request whose clock is further off than signatureSkewMs', async () => {
    fixture = await startStore({ signatureSkewMs: 0 });
    await expect(fixture.oss().put('a', Buffer.from('x'))).rejects.toMatchObject({ code: 'RequestTimeTooSkewed', status: 403 });
  });

  test('a signed URL that is valid for longer than maxUrlValidityMs', async () => {
    fixture = await startStore({ maxUrlValidityMs: 60_000 });
    const status = async (expiresSeconds: number): Promise<number> => (await fetch(fixture.url + (await fixture.store.storage.signUrl({ method: 'PUT', key: 'a', expiresSeconds })), { method: 'PUT', body: new Uint8Array(1) })).status;
    expect(await status(61)).toBe(403);
    expect(await status(59)).toBe(200);
  });
});

test('URLs signed for clients are valid for signedUrlSeconds', async () => {
  fixture = await startStore();
  const hub = await openHub({ storage: { driver: 'embedded' }, signedUrlSeconds: 77 });
  const alice = await peer(hub, 'alice');
  const { key } = (await answerTo(alice, 'files.new_key', { msg_type: 'file', name: 'a' })) as { key: string };
  expect(await answerTo(alice, 'files.sign', { requests: [{ method: 'GET', key }] })).toMatchObject({ expires_in: 77 });
});
