import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { CrossCommError } from '../../src/protocol/index.js';
import { validateSync } from 'class-validator';
import { credentialLines, EmbeddedStore, loadOrGenerateCredentials, OssFileStorage, StorageOptions } from '../../src/storage/index.js';
import { compareKeys, ObjectIndex } from '../../src/storage/embedded/object-index.js';
import { startStore, type StoreFixture } from './store-fixture.js';

let fixture: StoreFixture;
beforeEach(async () => {
  fixture = await startStore();
});
afterEach(() => fixture.close());

const put = (key: string, content: string) => fixture.store.storage.put(key, Readable.from([Buffer.from(content)]), { sizeBytes: Buffer.byteLength(content) });
const read = async (key: string, from = fixture.store) => text((await from.storage.get(key)).body);
const files = async (...below: string[]) => (await readdir(join(fixture.directory, ...below), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
const keys = async (prefix: string, from = fixture.store) => {
  const found: string[] = [];
  for await (const { key } of from.storage.list(prefix)) found.push(key);
  return found;
};

describe('the embedded object store', () => {
  test('keeps any key apart and finds all of them again after a restart', async () => {
    const odd = ['a', 'a/', 'a/b', 'A', 'a//b', '../../etc/passwd', '..', '.', 'CON', 'x\u0000y', 'tab\t', 'ü', 'u\u0308', '%2F', 'k'.repeat(1023), ' lead', 'trail '];
    for (const key of odd) await put(key, `content of ${key}`);
    await put('a', 'newer');
    const again = await EmbeddedStore.open({ options: { directory: fixture.directory } });
    again.close();
    for (const key of odd) expect(await read(key, again)).toBe(key === 'a' ? 'newer' : `content of ${key}`);
    expect(await keys('', again)).toEqual([...odd].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y))));
    expect(await files('objects')).toHaveLength(odd.length);
    expect(await files('tmp')).toEqual([]);
  });

  test('ignores files that a crash left torn, and removes temporary files of processes that are gone', async () => {
    await put('whole', 'x');
    await writeFile(join(fixture.directory, 'objects', '00', '0'.repeat(64)), 'torn');
    await writeFile(join(fixture.directory, 'tmp', '999999999-left.tmp'), 'half');
    await writeFile(join(fixture.directory, 'tmp', `${process.ppid}-running.tmp`), 'of a process that lives');
    const again = await EmbeddedStore.open({ options: { directory: fixture.directory } });
    again.close();
    expect(await keys('', again)).toEqual(['whole']);
    expect((await files('tmp')).map((entry) => entry.name)).toEqual([`${process.ppid}-running.tmp`]);
  });

  test('serves the others when what is known about one object is garbled on the disk', async () => {
    await put('good', 'one');
    await put('bad', 'two');
    const found = await Promise.all((await files('objects')).map(async ({ parentPath, name }) => ({ path: join(parentPath, name), bytes: await readFile(join(parentPath, name)) })));
    const bad = found.find(({ bytes }) => bytes.includes('"key":"bad"')) as { path: string; bytes: Buffer };
    bad.bytes.write('#', bad.bytes.indexOf('{"key"'));
    await writeFile(bad.path, bad.bytes);
    const again = await EmbeddedStore.open({ options: { directory: fixture.directory } });
    again.close();
    expect(await keys('', again)).toEqual(['good']);
    expect(await read('good', again)).toBe('one');
    await expect(read('bad')).rejects.toMatchObject({ code: 'CC_STORAGE_FAILED' });
  });

  test('an upload that is cut leaves nothing behind', async () => {
    const path = await fixture.store.storage.signUrl({ method: 'PUT', key: 'cut.bin', expiresSeconds: 60 });
    await new Promise<void>((resolve) => {
      const outgoing = request(`${fixture.url}${path}`, { method: 'PUT', headers: { 'Content-Length': '1000000' } });
      outgoing.on('error', () => resolve());
      outgoing.write(Buffer.alloc(200_000), () => setTimeout(() => outgoing.destroy(), 50));
    });
    const deadline = Date.now() + 3_000;
    while ((await files('tmp')).length > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await files('tmp')).toEqual([]);
    await expect(fixture.store.storage.head('cut.bin')).rejects.toMatchObject({ code: 'CC_FILE_NOT_FOUND' });
    expect(fixture.errors).toEqual([]);
  });

  test('an upload on which nothing moves is cut and leaves nothing behind', async () => {
    const impatient = await startStore({ idleTimeoutMs: 200 });
    try {
      const path = await impatient.store.storage.signUrl({ method: 'PUT', key: 'slow.bin', expiresSeconds: 60 });
      const ended = await new Promise<string>((resolve) => {
        const outgoing = request(`${impatient.url}${path}`, { method: 'PUT', headers: { 'Content-Length': '1000' } }, (response) => resolve(String(response.statusCode)));
        outgoing.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
        outgoing.write('x');
      });
      expect(ended).toBe('ECONNRESET');
      const left = async () => readdir(join(impatient.directory, 'tmp'));
      const deadline = Date.now() + 3_000;
      while ((await left()).length > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await left()).toEqual([]);
    } finally {
      await impatient.close();
    }
  });

  test('a reader goes on with the old bytes while the object is replaced and removed', async () => {
    await put('shared', 'old');
    const { body, info } = await fixture.store.storage.get('shared');
    await put('shared', 'newer');
    await fixture.store.storage.remove(['shared']);
    expect(await text(body)).toBe('old');
    expect(info.sizeBytes).toBe(3);
  });

  test('a body of another length than announced is refused', async () => {
    for (const sizeBytes of [2, 4]) await expect(fixture.store.storage.put('x', Readable.from([Buffer.from('abc')]), { sizeBytes })).rejects.toMatchObject({ code: 'CC_STORAGE_FAILED' });
    await expect(fixture.store.storage.head('x')).rejects.toBeInstanceOf(CrossCommError);
  });

  test('parts survive a restart, and an upload without news for too long is removed', async () => {
    const { storage } = fixture.store;
    const uploadId = await storage.beginMultipart('m');
    const part = await storage.putPart({ key: 'm', uploadId, partNumber: 1, body: Readable.from([Buffer.from('one')]), sizeBytes: 3 });
    const again = await EmbeddedStore.open({ options: { directory: fixture.directory } });
    again.close();
    expect(await again.storage.listParts('m', uploadId)).toEqual([part]);
    await again.storage.completeMultipart('m', uploadId, [part]);
    expect(await read('m', again)).toBe('one');

    const stale = await storage.beginMultipart('n');
    const later = await EmbeddedStore.open({ options: { directory: fixture.directory, staleUploadMs: -1 } });
    later.close();
    const deadline = Date.now() + 3_000;
    while ((await readdir(join(fixture.directory, 'uploads'))).includes(stale) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await readdir(join(fixture.directory, 'uploads'))).toEqual([]);
  });

  test('generates its keys once, readable by the owner only, and never overwrites a broken file', async () => {
    const path = join(fixture.directory, 'embedded-store.json');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await loadOrGenerateCredentials(fixture.directory)).toEqual(fixture.store.credentials);
    expect(credentialLines('http://127.0.0.1:9898', 'cross-comm', { accessKeyId: 'id', accessKeySecret: 'secret' })).toEqual([
      'OSS_ENDPOINT=http://127.0.0.1:9898',
      'OSS_BUCKET_NAME=cross-comm',
      'OSS_ACCESS_KEY_ID=id',
      'OSS_ACCESS_KEY_SECRET=secret',
    ]);
    const fresh = await Promise.all([1, 2, 3].map(() => loadOrGenerateCredentials(join(fixture.scratch, 'fresh'))));
    expect(new Set(fresh.map(({ accessKeySecret }) => accessKeySecret)).size).toBe(1);
    await writeFile(path, '{"accessKeyId":');
    await expect(loadOrGenerateCredentials(fixture.directory)).rejects.toMatchObject({ code: 'CC_INVALID_OPTION' });
    expect(await readFile(path, 'utf8')).toBe('{"accessKeyId":');
  });

  test('its own signed URLs work, expire, and stand for exactly one operation', async () => {
    const { storage } = fixture.store;
    const key = 'dir/ü +&.txt';
    const putUrl = fixture.url + (await storage.signUrl({ method: 'PUT', key, expiresSeconds: 60 }));
    expect((await fetch(putUrl, { method: 'PUT', body: new Uint8Array(Buffer.from('hello')) })).status).toBe(200);
    const getUrl = fixture.url + (await storage.signUrl({ method: 'GET', key, expiresSeconds: 60 }));
    const response = await fetch(getUrl);
    expect([await response.text(), response.headers.get('x-content-type-options')]).toEqual(['hello', 'nosniff']);
    expect((await fetch(getUrl, { method: 'PUT', body: new Uint8Array(1) })).status).toBe(403);
    const expired = fixture.url + (await storage.signUrl({ method: 'GET', key, expiresSeconds: -1 }));
    expect((await fetch(expired)).status).toBe(403);
    const endless = fixture.url + (await storage.signUrl({ method: 'GET', key, expiresSeconds: 8 * 86_400 }));
    expect((await fetch(endless)).status).toBe(403);
    const uploadId = await storage.beginMultipart(key);
    const partUrl = fixture.url + (await storage.signUrl({ method: 'PUT', key, expiresSeconds: 60, query: { partNumber: '1', uploadId } }));
    expect((await fetch(partUrl, { method: 'PUT', body: new Uint8Array(Buffer.from('part')) })).status).toBe(200);
    expect(await storage.listParts(key, uploadId)).toMatchObject([{ partNumber: 1, sizeBytes: 4 }]);
    expect((await fetch(partUrl.replace('partNumber=1', 'partNumber=2'), { method: 'PUT', body: new Uint8Array(1) })).status).toBe(403);
  });
});

describe('the key index', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'ü', '\u{1F600}', '\uFFFD'), minLength: 1, maxLength: 6 });

  test('orders keys as their UTF-8 bytes', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  test('pages through every key and common prefix once, whatever the page size', () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 30 }), key, fc.integer({ min: 1, max: 5 }), fc.constantFrom('', '/'), (keys, prefix, max, delimiter) => {
        const index = new ObjectIndex();
        for (const k of keys) index.set({ key: k, sizeBytes: 0, etag: createHash('md5').update(k).digest('hex'), crc64: '0', lastModifiedMs: 0, type: 'Normal' });
        const seen: string[] = [];
        for (let after: string | undefined = ''; after !== undefined; ) {
          const page = index.page({ prefix, after, delimiter, max });
          const names = [...page.entries.map((entry) => entry.key), ...page.commonPrefixes];
          expect(names.length).toBeLessThanOrEqual(max);
          seen.push(...names);
          after = page.next;
        }
        const expected = new Set(
          keys
            .filter((k) => k.startsWith(prefix))
            .map((k) => {
              const cut = delimiter === '' ? -1 : k.indexOf(delimiter, prefix.length);
              return cut === -1 ? k : k.slice(0, cut + 1);
            }),
        );
        expect(seen.sort()).toEqual([...expected].sort());
      }),
    );
  });
});

describe('the storage options', () => {
  test('are valid as they come, and refused out of their limits', () => {
    expect(validateSync(new StorageOptions())).toEqual([]);
    for (const wrong of [{ driver: 's3' }, { bucket: 'A' }, { maxParts: 10_001 }, { maxObjectBytes: 0 }, { publicBaseUrl: 'hub' }])
      expect(validateSync(Object.assign(new StorageOptions(), wrong))).toHaveLength(1);
    expect(validateSync(Object.assign(new StorageOptions(), { publicBaseUrl: 'http://127.0.0.1:9898' }))).toEqual([]);
  });

  test('the OSS driver names the variables that are missing', () => {
    const env = { OSS_ENDPOINT: 'oss-cn-hangzhou.aliyuncs.com', OSS_BUCKET_NAME: 'b' };
    expect(OssFileStorage.isConfigured(env)).toBe(false);
    expect(() => OssFileStorage.fromEnvironment(env)).toThrow(/OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET/);
    expect(OssFileStorage.isConfigured({ ...env, OSS_ACCESS_KEY_ID: 'i', OSS_ACCESS_KEY_SECRET: 's' })).toBe(true);
  });

  test('the OSS driver signs for the region of the endpoint, V1 where none is known', async () => {
    const sign = (endpoint: string) => new OssFileStorage({ endpoint, bucket: 'bucket', accessKeyId: 'i', accessKeySecret: 's' }).signUrl({ method: 'GET', key: 'k', expiresSeconds: 60 });
    expect(await sign('oss-cn-shenzhen-internal.aliyuncs.com')).toMatch(/^https:\/\/bucket\.oss-cn-shenzhen-internal\.aliyuncs\.com\/k\?.*cn-shenzhen%2Foss%2Faliyun_v4_request/);
    expect(await sign('http://oss-accelerate.aliyuncs.com')).toMatch(/^http:\/\/bucket\.oss-accelerate\.aliyuncs\.com\/k\?OSSAccessKeyId=i&Expires=\d+&Signature=/);
    expect(await sign('http://10.0.0.1:9898')).toMatch(/^http:\/\/10\.0\.0\.1:9898\/bucket\/k\?.*aliyun_v4_request/);
  });
});
