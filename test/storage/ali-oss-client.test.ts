import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type OSS from 'ali-oss';
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { crc64 } from '../../src/storage/index.js';
import { startStore, type StoreFixture } from './store-fixture.js';

/** What the type definitions of the client leave out. */
interface Untyped {
  getObjectMeta(name: string): Promise<{ res: { headers: Record<string, string> } }>;
  getBucketLocation(name: string): Promise<{ location: string }>;
  getBucketInfo(name: string): Promise<{ bucket: { Name: string } }>;
  listUploads(query: object): Promise<{ uploads: { name: string; uploadId: string }[] }>;
}

const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex').toUpperCase();
const headers = (result: { res: unknown }): Record<string, string> => (result.res as { headers: Record<string, string> }).headers;

describe.each([
  ['V1 signatures, bucket in the Host header', { authorizationV4: false, sldEnable: false }],
  ['V1 signatures, bucket in the path', { authorizationV4: false, sldEnable: true }],
  ['V4 signatures, bucket in the Host header', { authorizationV4: true, sldEnable: false }],
  ['V4 signatures, bucket in the path', { authorizationV4: true, sldEnable: true }],
] as const)('the ali-oss client with %s', (_title, style) => {
  let fixture: StoreFixture;
  let client: OSS;
  beforeAll(async () => {
    fixture = await startStore();
    client = fixture.oss(style);
  });
  afterAll(() => fixture.close());

  test('puts, gets and heads an object with its metadata and checksum', async () => {
    const bytes = randomBytes(300_000);
    const put = await client.put('dir/a b+c%&?#ä€😀.bin', bytes, { meta: { uid: 7, pid: 8, people: 'x' }, mime: 'application/x-test' });
    expect(headers(put)['etag']).toBe(`"${md5(bytes)}"`);
    expect(headers(put)['x-oss-hash-crc64ecma']).toBe(crc64(bytes));
    const got = await client.get('dir/a b+c%&?#ä€😀.bin');
    expect(bytes.equals(got.content as Buffer)).toBe(true);
    const head = await client.head('dir/a b+c%&?#ä€😀.bin');
    expect(head.meta).toEqual({ uid: '7', pid: '8', people: 'x' });
    expect(headers(head)['content-type']).toBe('application/x-test');
    expect(headers(head)['content-length']).toBe('300000');
    const meta = await (client as unknown as Untyped).getObjectMeta('dir/a b+c%&?#ä€😀.bin');
    expect(meta.res.headers['content-length']).toBe('300000');
  });

  test('gets ranges', async () => {
    await client.put('range.bin', Buffer.from('0123456789'));
    const read = async (range: string): Promise<string> => String((await client.get('range.bin', { headers: { Range: range } })).content);
    expect(await read('bytes=2-4')).toBe('234');
    expect(await read('bytes=7-')).toBe('789');
    expect(await read('bytes=-3')).toBe('789');
    expect(await read('bytes=8-100')).toBe('89');
    await expect(read('bytes=10-11')).rejects.toMatchObject({ status: 416 });
  });

  test('streams up without a length and down again', async () => {
    const bytes = randomBytes(1_000_000);
    await client.putStream('stream.bin', Readable.from([bytes.subarray(0, 400_000), bytes.subarray(400_000)]).pipe(new PassThrough()));
    const { stream } = await client.getStream('stream.bin');
    expect(bytes.equals(await buffer(stream as Readable))).toBe(true);
  });

  test('copies, replaces metadata and deletes', async () => {
    await client.put('copy/source', Buffer.from('copied'), { meta: { uid: 1 } as never });
    await client.copy('copy/target ü', 'copy/source');
    expect(String((await client.get('copy/target ü')).content)).toBe('copied');
    expect((await client.head('copy/target ü')).meta).toEqual({ uid: '1' });
    await client.copy('copy/target ü', 'copy/source', { meta: { other: 'y' } as never } as never);
    expect((await client.head('copy/target ü')).meta).toEqual({ other: 'y' });
    await client.delete('copy/target ü');
    await expect(client.head('copy/target ü')).rejects.toMatchObject({ code: 'NoSuchKey', status: 404 });
    await expect(client.get('copy/target ü')).rejects.toMatchObject({ code: 'NoSuchKey', status: 404 });
    await client.delete('copy/target ü');
  });

  test('deletes many, names with XML in them included', async () => {
    const names = ['multi/<a>&"b"', 'multi/c', 'multi/d\'e'];
    for (const name of names) await client.put(name, Buffer.from('x'));
    const result = await client.deleteMulti([...names, 'multi/never was']);
    expect((result.deleted as unknown as { Key: string }[]).map(({ Key }) => Key)).toEqual([...names, 'multi/never was']);
    expect((await client.list({ prefix: 'multi/', 'max-keys': 10 }, {})).objects ?? []).toEqual([]);
  });

  test('lists page by page, V1 and V2, with prefix, delimiter and url encoding', async () => {
    const names = ['l/a', 'l/a/b', 'l/a/c', 'l/b', 'l/dir/', 'l/dir/x', 'l/z\u{1F600}', 'l/z\uFFFD'].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
    for (const name of names) await client.put(name, Buffer.from(name));
    const v1: string[] = [];
    let marker: string | undefined;
    do {
      const page = await client.list({ prefix: 'l/', 'max-keys': 3, ...(marker ? { marker } : {}) }, {});
      v1.push(...page.objects.map(({ name }) => name));
      marker = page.nextMarker ?? undefined;
    } while (marker);
    expect(v1).toEqual(names);

    const v2: string[] = [];
    let token: string | undefined;
    do {
      const query: Record<string, string> = { prefix: 'l/', 'max-keys': '3', 'encoding-type': 'url', ...(token ? { 'continuation-token': token } : {}) };
      const page = (await client.listV2(query, {})) as unknown as { objects: { name: string }[]; nextContinuationToken?: string; keyCount: number };
      expect(page.keyCount).toBe(page.objects.length);
      v2.push(...page.objects.map(({ name }) => decodeURIComponent(name)));
      token = page.nextContinuationToken ?? undefined;
    } while (token);
    expect(v2).toEqual(names);

    const rolled = await client.list({ prefix: 'l/', delimiter: '/', 'max-keys': 100 }, {});
    expect(rolled.prefixes).toEqual(['l/a/', 'l/dir/']);
    expect(rolled.objects.map(({ name }) => name)).toEqual(names.filter((name) => !name.slice(2).includes('/')));
    const after = await client.listV2({ prefix: 'l/', 'start-after': 'l/b', 'fetch-owner': 'true' } as never, {});
    expect(after.objects.map(({ name }: { name: string }) => name)).toEqual(names.slice(names.indexOf('l/b') + 1));
  });

  test('uploads in parts and resumes', async () => {
    const bytes = randomBytes(1_300_000);
    const path = join(fixture.scratch, 'multi.bin');
    await writeFile(path, bytes);
    const result = await client.multipartUpload('multi/part.bin', path, { partSize: 512 * 1024, parallel: 2 });
    expect(result.etag).toMatch(/^"[0-9A-F]{32}-3"$/);
    const got = await client.get('multi/part.bin');
    expect(bytes.equals(got.content as Buffer)).toBe(true);
    expect(headers(got)['x-oss-hash-crc64ecma']).toBe(crc64(bytes));
    expect(headers(got)['x-oss-object-type']).toBe('Multipart');

    const { uploadId } = await client.initMultipartUpload('multi/cut.bin');
    await client.uploadPart('multi/cut.bin', uploadId, 2, path, 0, 200_000);
    const open = await (client as unknown as Untyped).listUploads({ 'max-uploads': 10, prefix: 'multi/' });
    expect(open.uploads.map((upload) => upload.uploadId)).toEqual([uploadId]);
    const parts = await client.listParts('multi/cut.bin', uploadId, { 'max-parts': 100 } as never);
    expect(parts.parts).toMatchObject({ PartNumber: '2', Size: '200000', ETag: `"${md5(bytes.subarray(0, 200_000))}"` });
    await expect(client.completeMultipartUpload('multi/cut.bin', uploadId, [{ number: 1, etag: '"00"' }])).rejects.toMatchObject({ code: 'InvalidPart' });
    await client.abortMultipartUpload('multi/cut.bin', uploadId);
    await expect(client.listParts('multi/cut.bin', uploadId)).rejects.toMatchObject({ code: 'NoSuchUpload', status: 404 });
  });

  test('answers what SDKs ask about the bucket', async () => {
    expect((await (client as unknown as Untyped).getBucketInfo(fixture.bucket)).bucket.Name).toBe(fixture.bucket);
    expect((await (client as unknown as Untyped).getBucketLocation(fixture.bucket)).location).toBe('oss-cn-hangzhou');
    const listed = (await client.listBuckets({})) as unknown as { buckets: { name: string }[] };
    expect(listed.buckets.map(({ name }) => name)).toEqual([fixture.bucket]);
  });

  test('signs URLs that work without keys, for GET and PUT', async () => {
    const put = await client.signatureUrlV4('PUT', 60, undefined, 'signed/ü +.txt');
    expect((await fetch(put, { method: 'PUT', body: new Uint8Array(Buffer.from('by url')) })).status).toBe(200);
    const url = await client.signatureUrlV4('GET', 60, undefined, 'signed/ü +.txt');
    expect(await (await fetch(url)).text()).toBe('by url');
    expect((await fetch(url.replace('signed', 'other'))).status).toBe(403);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
  });
});

describe('the ali-oss client with V1 signed URLs', () => {
  let fixture: StoreFixture;
  beforeAll(async () => {
    fixture = await startStore();
  });
  afterAll(() => fixture.close());

  /** The name of a V1 URL does not resolve here, so the request goes to the server's address with that Host. */
  async function fetchAs(url: string): Promise<IncomingMessage & { text: string }> {
    const { host, pathname, search } = new URL(url);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      httpGet(`${fixture.url}${pathname}${search}`, { headers: { host } }, resolve).on('error', reject);
    });
    return Object.assign(response, { text: (await buffer(response)).toString() });
  }

  test('accepts the URL with the bucket in the host, and response headers that it sets', async () => {
    const client = fixture.oss({ endpoint: `http://store.example.com:${new URL(fixture.url).port}` });
    await fixture.oss().put('signed/v1.txt', Buffer.from('v1'));
    const ok = await fetchAs(client.signatureUrl('signed/v1.txt', { expires: 60, response: { 'content-type': 'text/x-mine' } }));
    expect(ok.statusCode).toBe(200);
    expect(ok.text).toBe('v1');
    expect(ok.headers['content-type']).toBe('text/x-mine');
    const expired = await fetchAs(client.signatureUrl('signed/v1.txt', { expires: -10 }));
    expect(expired.statusCode).toBe(403);
    expect(expired.text).toContain('<Code>AccessDenied</Code>');
  });
});
