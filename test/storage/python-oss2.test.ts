import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { crc64 } from '../../src/storage/index.js';
import { errorCode, oss2Request, oss2Signature, send } from './python-oss2-client.js';
import { startStore, type StoreFixture } from './store-fixture.js';

let fixture: StoreFixture;
beforeAll(async () => {
  fixture = await startStore();
});
afterAll(() => fixture.close());

const put = (key: string, body: string | Buffer) => oss2Request(fixture, { method: 'PUT', key, body });

describe('requests as the Python oss2 library sends them', () => {
  test('put_object reports the CRC-64 that oss2 checks, get_object gives the bytes back', async () => {
    const bytes = randomBytes(70_000);
    const stored = await put('cross_comm/alice/1_aabbccdd.bin', bytes);
    expect(stored.status).toBe(200);
    expect(stored.headers['x-oss-hash-crc64ecma']).toBe(crc64(bytes));
    expect(stored.headers['x-oss-request-id']).toMatch(/^[0-9A-F]{24}$/);
    const got = await oss2Request(fixture, { method: 'GET', key: 'cross_comm/alice/1_aabbccdd.bin' });
    expect(got.body.equals(bytes)).toBe(true);
    expect(got.headers['x-oss-hash-crc64ecma']).toBe(crc64(bytes));
    expect(got.headers['content-length']).toBe('70000');
  });

  test('put_object with metadata, content type and Content-MD5 is stored, a wrong Content-MD5 is refused', async () => {
    const body = 'checked';
    const right = createHash('md5').update(body).digest('base64');
    const headers = { 'Content-MD5': right, 'Content-Type': 'text/plain', 'x-oss-meta-who': 'me' };
    expect((await oss2Request(fixture, { method: 'PUT', key: 'md5.txt', body, headers })).status).toBe(200);
    const head = await oss2Request(fixture, { method: 'HEAD', key: 'md5.txt' });
    expect(head.headers).toMatchObject({ 'x-oss-meta-who': 'me', 'content-type': 'text/plain', etag: `"${Buffer.from(right, 'base64').toString('hex').toUpperCase()}"` });
    const wrong = await oss2Request(fixture, { method: 'PUT', key: 'md5-wrong.txt', body: 'other', headers });
    expect([wrong.status, errorCode(wrong)]).toEqual([400, 'BadDigest']);
    const invalid = await oss2Request(fixture, { method: 'PUT', key: 'md5-wrong.txt', body, headers: { 'Content-MD5': 'nonsense' } });
    expect([invalid.status, errorCode(invalid)]).toEqual([400, 'InvalidDigest']);
    expect((await oss2Request(fixture, { method: 'HEAD', key: 'md5-wrong.txt' })).status).toBe(404);
  });

  test('object_exists learns NoSuchKey from GET and HEAD with objectMeta', async () => {
    await put('there.txt', 'x');
    const there = await oss2Request(fixture, { method: 'GET', key: 'there.txt', params: { objectMeta: '' } }).catch((error: unknown) => error);
    // The length is announced and no body follows, so a client that reads on sees the connection end.
    expect(there).toBeDefined();
    expect((await oss2Request(fixture, { method: 'HEAD', key: 'there.txt', params: { objectMeta: '' } })).headers['content-length']).toBe('1');
    const missing = await oss2Request(fixture, { method: 'GET', key: 'missing.txt', params: { objectMeta: '' } });
    expect([missing.status, errorCode(missing)]).toEqual([404, 'NoSuchKey']);
    const head = await oss2Request(fixture, { method: 'HEAD', key: 'missing.txt', params: { objectMeta: '' } });
    expect(Buffer.from(String(head.headers['x-oss-err']), 'base64').toString()).toContain('<Code>NoSuchKey</Code>');
  });

  test('ObjectIterator and ObjectIteratorV2 get every key, url-encoded, in whole seconds', async () => {
    for (const key of ['it er/a+b', 'it er/ä', 'it er/<c>']) await put(key, 'x');
    const params = { prefix: 'it er/', delimiter: '', marker: '', 'max-keys': '2', 'encoding-type': 'url' };
    const first = await oss2Request(fixture, { method: 'GET', params });
    expect(first.text).toContain('<IsTruncated>true</IsTruncated>');
    expect(first.text).toContain('<Key>it%20er%2F%3Cc%3E</Key>');
    expect(first.text).toMatch(/<LastModified>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z<\/LastModified>/);
    const marker = decodeURIComponent(/<NextMarker>([^<]+)</.exec(first.text)?.[1] ?? '');
    const second = await oss2Request(fixture, { method: 'GET', params: { ...params, marker } });
    expect(second.text).toContain('<Key>it%20er%2F%C3%A4</Key>');
    expect(second.text).toContain('<IsTruncated>false</IsTruncated>');

    const v2 = { 'list-type': '2', prefix: 'it er/', delimiter: '', 'continuation-token': '', 'start-after': '', 'fetch-owner': 'false', 'encoding-type': 'url', 'max-keys': '1' };
    const page = await oss2Request(fixture, { method: 'GET', params: v2 });
    const token = /<NextContinuationToken>([^<]+)</.exec(page.text)?.[1] ?? '';
    const next = await oss2Request(fixture, { method: 'GET', params: { ...v2, 'continuation-token': token } });
    expect(next.text).toContain('<Key>it%20er%2Fa%2Bb</Key>');
  });

  test('batch_delete_objects removes and answers with the keys', async () => {
    await put('del/1', 'x');
    const body = '<Delete><Quiet>false</Quiet><Object><Key>del/1</Key></Object><Object><Key>del/&lt;2&gt;</Key></Object></Delete>';
    const headers = { 'Content-MD5': createHash('md5').update(body).digest('base64') };
    const answer = await oss2Request(fixture, { method: 'POST', params: { delete: '', 'encoding-type': 'url' }, body, headers });
    expect(answer.text).toContain('<Deleted><Key>del%2F1</Key></Deleted><Deleted><Key>del%2F%3C2%3E</Key></Deleted>');
    expect((await oss2Request(fixture, { method: 'HEAD', key: 'del/1' })).status).toBe(404);
    for (const bad of ['<Delete>', '<!DOCTYPE x [<!ENTITY e "e">]><Delete><Object><Key>&e;</Key></Object></Delete>', '<Delete><Object></Object></Delete>', 'x'])
      expect(errorCode(await oss2Request(fixture, { method: 'POST', params: { delete: '' }, body: bad }))).toBe('MalformedXML');
  });

  test('resumable_upload: parts with CRC-64, completed to one object', async () => {
    const key = 'cross_comm/bob/big file.bin';
    const begun = await oss2Request(fixture, { method: 'POST', key, params: { uploads: '', 'encoding-type': 'url' } });
    const uploadId = /<UploadId>([^<]+)</.exec(begun.text)?.[1] ?? '';
    const parts = [randomBytes(150_000), randomBytes(1)];
    const etags: string[] = [];
    for (const [index, body] of parts.entries()) {
      const stored = await oss2Request(fixture, { method: 'PUT', key, params: { partNumber: String(index + 1), uploadId }, body });
      expect(stored.headers['x-oss-hash-crc64ecma']).toBe(crc64(body));
      etags.push(String(stored.headers.etag).replaceAll('"', ''));
    }
    const listed = await oss2Request(fixture, { method: 'GET', key, params: { uploadId, 'part-number-marker': '1', 'max-parts': '5', 'encoding-type': 'url' } });
    expect(listed.text).toContain('<PartNumber>2</PartNumber>');
    expect(listed.text).not.toContain('<PartNumber>1</PartNumber>');
    const document = (order: number[]) =>
      `<CompleteMultipartUpload>${order.map((n) => `<Part><PartNumber>${n}</PartNumber><ETag>"${etags[n - 1]}"</ETag></Part>`).join('')}</CompleteMultipartUpload>`;
    const wrong = await oss2Request(fixture, { method: 'POST', key, params: { uploadId }, body: document([2, 1]) });
    expect([wrong.status, errorCode(wrong)]).toEqual([400, 'InvalidPartOrder']);
    const done = await oss2Request(fixture, { method: 'POST', key, params: { uploadId, 'encoding-type': 'url' }, body: document([1, 2]) });
    expect(done.status).toBe(200);
    const whole = Buffer.concat(parts);
    expect(done.headers['x-oss-hash-crc64ecma']).toBe(crc64(whole));
    const expected = createHash('md5').update(Buffer.from(etags.join(''), 'hex')).digest('hex').toUpperCase();
    expect(done.headers.etag).toBe(`"${expected}-2"`);
    expect((await oss2Request(fixture, { method: 'GET', key })).body.equals(whole)).toBe(true);
    expect(errorCode(await oss2Request(fixture, { method: 'POST', key, params: { uploadId }, body: document([1, 2]) }))).toBe('NoSuchUpload');
  });

  test('sign_url (V1) opens the object until it expires', async () => {
    await put('signed ä.txt', 'by url');
    const { accessKeyId, accessKeySecret } = fixture.store.credentials;
    const url = (seconds: number, extra = ''): string => {
      const expires = String(Math.floor(Date.now() / 1000) + seconds);
      const resource = `/${fixture.bucket}/signed ä.txt${extra === '' ? '' : `?response-content-type=${extra}`}`;
      const query = { OSSAccessKeyId: accessKeyId, Expires: expires, Signature: oss2Signature(accessKeySecret, ['GET', '', '', expires], resource) };
      const pairs = Object.entries(extra === '' ? query : { ...query, 'response-content-type': extra });
      return `/${fixture.bucket}/signed%20%C3%A4.txt?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
    };
    expect((await send(fixture, { method: 'GET', path: url(60) })).text).toBe('by url');
    expect((await send(fixture, { method: 'GET', path: url(60, 'a/b') })).headers['content-type']).toBe('a/b');
    const expired = await send(fixture, { method: 'GET', path: url(-1) });
    expect([expired.status, errorCode(expired)]).toEqual([403, 'AccessDenied']);
    const changed = await send(fixture, { method: 'GET', path: url(60).replace(/Expires=(\d+)/, (_, n: string) => `Expires=${Number(n) + 1}`) });
    expect(errorCode(changed)).toBe('SignatureDoesNotMatch');
  });
});

describe('refusals', () => {
  test('wrong secret, unknown id, skewed or missing date, and no signature each have their code', async () => {
    const code = async (raw: Partial<Parameters<typeof oss2Request>[1]>) => errorCode(await oss2Request(fixture, { method: 'GET', key: 'x', ...raw }));
    expect(await code({ secret: 'wrong' })).toBe('SignatureDoesNotMatch');
    expect(await code({ id: 'nobody' })).toBe('InvalidAccessKeyId');
    expect(await code({ date: new Date(Date.now() - 16 * 60_000).toUTCString() })).toBe('RequestTimeTooSkewed');
    expect(await code({ date: new Date(Date.now() + 16 * 60_000).toUTCString() })).toBe('RequestTimeTooSkewed');
    expect(await code({ date: 'yesterday' })).toBe('AccessDenied');
    expect(await code({ date: new Date(Date.now() - 14 * 60_000).toUTCString() })).toBe('NoSuchKey');
    const anonymous = await send(fixture, { method: 'GET', path: `/${fixture.bucket}/x` });
    expect([anonymous.status, errorCode(anonymous)]).toEqual([403, 'AccessDenied']);
    expect(anonymous.text).toMatch(/<RequestId>[0-9A-F]{24}<\/RequestId><HostId>127\.0\.0\.1:\d+<\/HostId>/);
  });

  test('an unsigned upload is answered although its body is large', async () => {
    const answer = await send(fixture, { method: 'PUT', path: `/${fixture.bucket}/x`, body: Buffer.alloc(4_000_000) });
    expect(errorCode(answer)).toBe('AccessDenied');
  });

  test('operations that the store does not have never act as a plain GET or PUT', async () => {
    await put('plain.txt', 'unchanged');
    const tagging = await oss2Request(fixture, { method: 'PUT', key: 'plain.txt', params: { 'x-oss-process': 'a' }, body: 'changed' });
    expect(tagging.status).toBe(403); // not among the signed parameters of this test
    const { accessKeySecret, accessKeyId } = fixture.store.credentials;
    const date = new Date().toUTCString();
    const signature = oss2Signature(accessKeySecret, ['PUT', '', '', date], `/${fixture.bucket}/plain.txt?tagging`);
    const headers = { Date: date, Authorization: `OSS ${accessKeyId}:${signature}` };
    const answer = await send(fixture, { method: 'PUT', path: `/${fixture.bucket}/plain.txt?tagging`, headers, body: 'changed' });
    expect([answer.status, errorCode(answer)]).toEqual([501, 'NotImplemented']);
    expect((await oss2Request(fixture, { method: 'GET', key: 'plain.txt' })).text).toBe('unchanged');
  });

  test('another bucket does not exist, other paths are not for the store', async () => {
    const { accessKeySecret, accessKeyId } = fixture.store.credentials;
    const date = new Date().toUTCString();
    const headers = { Date: date, Authorization: `OSS ${accessKeyId}:${oss2Signature(accessKeySecret, ['GET', '', '', date], '/other/x')}` };
    expect(errorCode(await send(fixture, { method: 'GET', path: '/other/x', headers }))).toBe('NoSuchBucket');
    for (const path of ['/', '/health', `/${fixture.bucket}x/y`]) expect((await send(fixture, { method: 'GET', path })).status).toBe(418);
  });

  test('keys that OSS would refuse are refused, the longest one is stored', async () => {
    expect(errorCode(await put('x'.repeat(1024), 'x'))).toBe('InvalidObjectName');
    expect(errorCode(await put('/x', 'x'))).toBe('InvalidObjectName');
    expect((await put('ä'.repeat(511) + 'x', 'x')).status).toBe(200);
  });

  test('an object over the limit is refused, announced or not, and nothing of it stays', async () => {
    const small = await startStore({ maxObjectBytes: 1_000 });
    try {
      expect(errorCode(await oss2Request(small, { method: 'PUT', key: 'a', body: Buffer.alloc(1_001) }))).toBe('EntityTooLarge');
      const chunked = await oss2Request(small, { method: 'PUT', key: 'a', body: Buffer.alloc(1_001), headers: { 'Transfer-Encoding': 'chunked' } });
      expect(errorCode(chunked)).toBe('EntityTooLarge');
      expect((await oss2Request(small, { method: 'HEAD', key: 'a' })).status).toBe(404);
    } finally {
      await small.close();
    }
  });
});
