import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { downloadFile, uploadFile, type FileStorage, type TransferProgress, type UploadCheckpoint } from '../../src/storage/index.js';
import { startStore, type StoreFixture } from './store-fixture.js';

const KIB = 1024;
const PART = 128 * KIB;
const fast = { partSizeBytes: PART, retryDelayMs: 5 };

let fixture: StoreFixture;
beforeEach(async () => {
  fixture = await startStore();
});
afterEach(() => fixture.close());

async function localFile(name: string, bytes: Buffer): Promise<string> {
  const path = join(fixture.scratch, name);
  await writeFile(path, bytes);
  return path;
}

describe.each(['embedded', 'oss'] as const)('file transfer with the %s driver', (name) => {
  let storage: FileStorage;
  beforeEach(() => {
    storage = name === 'oss' ? fixture.driver() : fixture.store.storage;
  });

  test.each([0, 1, PART - 1, PART, PART + 1, 5 * PART + 17])('moves a file of %i bytes there and back, with progress', async (size) => {
    const bytes = randomBytes(size);
    const path = await localFile('up.bin', bytes);
    const up: TransferProgress[] = [];
    const info = await uploadFile(storage, { ...fast, key: 'k/ü up.bin', path, onProgress: (progress) => up.push(progress) });
    expect(info).toMatchObject({ key: 'k/ü up.bin', sizeBytes: size });
    expect(up.at(-1)).toEqual({ transferredBytes: size, totalBytes: size, doneFiles: 1, totalFiles: 1 });
    expect(info.etag.includes('-')).toBe(size > PART);

    const down: TransferProgress[] = [];
    const targetPath = join(fixture.scratch, 'new', 'folders', 'down.bin');
    await downloadFile(storage, { ...fast, key: 'k/ü up.bin', targetPath, onProgress: (progress) => down.push(progress) });
    expect(bytes.equals(await readFile(targetPath))).toBe(true);
    expect(down.at(-1)?.transferredBytes).toBe(size);
    expect(await readdir(join(fixture.scratch, 'new', 'folders'))).toEqual(['down.bin']);
  });

  test('heads, lists, signs and removes', async () => {
    for (const key of ['p/a', 'p/b +&<', 'q']) await storage.put(key, Readable.from([Buffer.from(key)]), { sizeBytes: key.length });
    const listed: string[] = [];
    for await (const { key, sizeBytes } of storage.list('p/')) listed.push(`${key}:${sizeBytes}`);
    expect(listed).toEqual(['p/a:3', 'p/b +&<:7']);
    const url = await storage.signUrl({ method: 'GET', key: 'p/b +&<', expiresSeconds: 60 });
    expect(await (await fetch(new URL(url, fixture.url))).text()).toBe('p/b +&<');
    await storage.remove(['p/a', 'p/b +&<', 'never was']);
    await expect(storage.head('p/a')).rejects.toMatchObject({ code: 'CC_FILE_NOT_FOUND' });
    await expect(storage.get('p/a')).rejects.toMatchObject({ code: 'CC_FILE_NOT_FOUND' });
    await storage.abortMultipart('p/a', 'unknown');
  });

  test('a missing file or object is CC_FILE_NOT_FOUND, and nothing is created', async () => {
    await expect(uploadFile(storage, { key: 'k', path: join(fixture.scratch, 'missing') })).rejects.toMatchObject({ code: 'CC_FILE_NOT_FOUND' });
    await expect(uploadFile(storage, { key: 'k', path: fixture.scratch })).rejects.toMatchObject({ code: 'CC_FILE_NOT_FOUND' });
    const targetPath = join(fixture.scratch, 'no', 'x');
    await expect(downloadFile(storage, { key: 'missing', targetPath })).rejects.toMatchObject({ code: 'CC_FILE_NOT_FOUND' });
    await expect(stat(join(fixture.scratch, 'no'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('an aborted upload ends with CC_ABORTED and leaves no parts, an aborted download can go on', async () => {
    const bytes = randomBytes(20 * PART);
    const path = await localFile('a.bin', bytes);
    const stop = new AbortController();
    const upload = uploadFile(storage, { ...fast, key: 'a', path, signal: stop.signal, onProgress: ({ transferredBytes }) => transferredBytes > 3 * PART && stop.abort() });
    await expect(upload).rejects.toMatchObject({ code: 'CC_ABORTED' });
    expect(await readdir(join(fixture.directory, 'uploads'))).toEqual([]);
    await expect(storage.head('a')).rejects.toMatchObject({ code: 'CC_FILE_NOT_FOUND' });

    await uploadFile(storage, { ...fast, key: 'a', path });
    const targetPath = join(fixture.scratch, 'a.down');
    const halt = new AbortController();
    const download = downloadFile(storage, { ...fast, key: 'a', targetPath, signal: halt.signal, onProgress: ({ transferredBytes }) => transferredBytes > 8 * PART && halt.abort() });
    await expect(download).rejects.toMatchObject({ code: 'CC_ABORTED' });
    const { done } = JSON.parse(await readFile(`${targetPath}.part.json`, 'utf8')) as { done: number[] };
    expect(done.length).toBeGreaterThan(0);
    await expect(stat(targetPath)).rejects.toMatchObject({ code: 'ENOENT' });

    let first = -1;
    await downloadFile(storage, { ...fast, key: 'a', targetPath, onProgress: ({ transferredBytes }) => (first = first === -1 ? transferredBytes : first) });
    expect(first).toBe(done.length * PART);
    expect(bytes.equals(await readFile(targetPath))).toBe(true);
    await expect(stat(`${targetPath}.part.json`)).rejects.toMatchObject({ code: 'ENOENT' });

    await rm(targetPath);
    const again = new AbortController();
    const forgetful = downloadFile(storage, { ...fast, key: 'a', targetPath, keepPartial: false, signal: again.signal, onProgress: ({ transferredBytes }) => transferredBytes > 8 * PART && again.abort() });
    await expect(forgetful).rejects.toMatchObject({ code: 'CC_ABORTED' });
    await expect(stat(`${targetPath}.part`)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('an upload that was given up goes on from its checkpoint', async () => {
    const path = await localFile('c.bin', randomBytes(10 * PART));
    let checkpoint: UploadCheckpoint | undefined;
    const stop = new AbortController();
    const upload = uploadFile(storage, {
      ...fast, concurrency: 2, key: 'c', path, signal: stop.signal,
      onCheckpoint: (given) => (checkpoint = given),
      onProgress: ({ transferredBytes }) => transferredBytes > 5 * PART && stop.abort(),
    }); // prettier-ignore
    await expect(upload).rejects.toMatchObject({ code: 'CC_ABORTED' });
    const revived = JSON.parse(JSON.stringify(checkpoint)) as UploadCheckpoint;
    const present = await storage.listParts('c', revived.uploadId);
    expect(present.length).toBeGreaterThan(0);
    const sent: string[] = [];
    fixture.onRequest = (method, url) => method === 'PUT' && sent.push(url);
    const info = await uploadFile(storage, { ...fast, key: 'c', path, checkpoint: revived });
    expect(info.sizeBytes).toBe(10 * PART);
    // A part may have arrived after the abort and before the listing of the second run.
    if (name === 'oss') expect(sent.length).toBeLessThanOrEqual(10 - present.length);
    await downloadFile(storage, { ...fast, key: 'c', targetPath: `${path}.back` });
    expect((await readFile(path)).equals(await readFile(`${path}.back`))).toBe(true);

    await utimes(path, 1, 1);
    await expect(uploadFile(storage, { ...fast, key: 'c', path, checkpoint: revived })).resolves.toMatchObject({ sizeBytes: 10 * PART });
  });

  test('a file that changes during the upload is refused and not left in the storage', async () => {
    const small = await localFile('small.bin', randomBytes(PART - 5));
    let changed = false;
    const change = (path: string) => async (): Promise<void> => {
      if (changed) return;
      changed = true;
      await appendFile(path, 'more');
    };
    const late = change(small);
    await expect(uploadFile(storage, { ...fast, key: 's', path: small, attempts: 1, onProgress: () => void late() })).rejects.toMatchObject({ code: expect.stringMatching(/CC_CHECKSUM_MISMATCH|CC_STORAGE_FAILED/) });
    await expect(storage.head('s')).rejects.toMatchObject({ code: 'CC_FILE_NOT_FOUND' });

    changed = false;
    const large = await localFile('large.bin', randomBytes(4 * PART));
    const during = change(large);
    const upload = uploadFile(storage, { ...fast, key: 'l', path: large, onProgress: ({ transferredBytes }) => transferredBytes > PART && void during() });
    await expect(upload).rejects.toMatchObject({ code: 'CC_CHECKSUM_MISMATCH' });
    await expect(storage.head('l')).rejects.toMatchObject({ code: 'CC_FILE_NOT_FOUND' });
    expect(await readdir(join(fixture.directory, 'uploads'))).toEqual([]);
  });

  test('an object that is replaced during the download is refused, and an old .part of it is not used', async () => {
    const targetPath = join(fixture.scratch, 'r.bin');
    await uploadFile(storage, { ...fast, key: 'r', path: await localFile('r1', randomBytes(6 * PART)) });
    const stop = new AbortController();
    await downloadFile(storage, { ...fast, key: 'r', targetPath, signal: stop.signal, onProgress: ({ transferredBytes }) => transferredBytes > 3 * PART && stop.abort() }).catch(() => undefined);
    const newer = randomBytes(6 * PART);
    await uploadFile(storage, { ...fast, key: 'r', path: await localFile('r2', newer) });
    await downloadFile(storage, { ...fast, key: 'r', targetPath });
    expect(newer.equals(await readFile(targetPath))).toBe(true);
  });

  test('bytes damaged in a kept .part are noticed before the rename', async () => {
    const targetPath = join(fixture.scratch, 'd.bin');
    const bytes = randomBytes(6 * PART);
    await uploadFile(storage, { ...fast, key: 'd', path: await localFile('d', bytes) });
    const stop = new AbortController();
    await downloadFile(storage, { ...fast, key: 'd', targetPath, signal: stop.signal, onProgress: ({ transferredBytes }) => transferredBytes > 3 * PART && stop.abort() }).catch(() => undefined);
    const { done } = JSON.parse(await readFile(`${targetPath}.part.json`, 'utf8')) as { done: number[] };
    const part = await readFile(`${targetPath}.part`);
    part[(done[0] ?? 0) * PART] = (part[(done[0] ?? 0) * PART] ?? 0) ^ 1;
    await writeFile(`${targetPath}.part`, part);
    await expect(downloadFile(storage, { ...fast, key: 'd', targetPath })).rejects.toMatchObject({ code: 'CC_CHECKSUM_MISMATCH' });
    await expect(stat(targetPath)).rejects.toMatchObject({ code: 'ENOENT' });
    await downloadFile(storage, { ...fast, key: 'd', targetPath });
    expect(bytes.equals(await readFile(targetPath))).toBe(true);
  });

  test('a symbolic link at the target is replaced, one at the .part refused', async () => {
    await storage.put('s', Readable.from([Buffer.from('x')]), { sizeBytes: 1 });
    const outside = await localFile('outside', Buffer.from('untouched'));
    await mkdir(join(fixture.scratch, 'links'));
    await symlink(outside, join(fixture.scratch, 'links', 'target'));
    await downloadFile(storage, { key: 's', targetPath: join(fixture.scratch, 'links', 'target') });
    expect(await readFile(join(fixture.scratch, 'links', 'target'), 'utf8')).toBe('x');
    await symlink(outside, join(fixture.scratch, 'links', 'other.part'));
    await expect(downloadFile(storage, { key: 's', targetPath: join(fixture.scratch, 'links', 'other') })).rejects.toMatchObject({ code: 'CC_UNSAFE_PATH' });
    expect(await readFile(outside, 'utf8')).toBe('untouched');
  });
});

describe('file transfer over connections that break', () => {
  test('cut uploads and downloads are retried and arrive whole', async () => {
    const storage = fixture.driver();
    const bytes = randomBytes(12 * PART);
    const path = await localFile('x.bin', bytes);
    let cuts = 0;
    let seen = 0;
    fixture.onRequest = (method, _url, socket) => {
      if ((method === 'PUT' || method === 'GET') && ++seen % 3 === 0 && cuts < 6) {
        cuts++;
        setTimeout(() => socket.destroy(), 2);
      }
    };
    await uploadFile(storage, { ...fast, key: 'x', path });
    await downloadFile(storage, { ...fast, key: 'x', targetPath: `${path}.back` });
    expect(cuts).toBeGreaterThan(2);
    expect(bytes.equals(await readFile(`${path}.back`))).toBe(true);
  });

  test('a storage that is gone is CC_STORAGE_FAILED, wrong keys CC_STORAGE_DENIED, and neither shows a secret', async () => {
    const { OssFileStorage } = await import('../../src/storage/index.js');
    const secret = 'very-secret-value';
    const gone = new OssFileStorage({ endpoint: 'http://127.0.0.1:1', bucket: 'cross-comm', accessKeyId: 'some-id', accessKeySecret: secret });
    const denied = new OssFileStorage({ endpoint: fixture.url, bucket: 'cross-comm', accessKeyId: fixture.store.credentials.accessKeyId, accessKeySecret: secret });
    for (const [storage, code] of [[gone, 'CC_STORAGE_FAILED'], [denied, 'CC_STORAGE_DENIED']] as const) {
      const error = (await storage.head('x').catch((caught: unknown) => caught)) as Error & { code: string };
      expect(error.code).toBe(code);
      const { inspect } = await import('node:util');
      expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/very-secret-value|Signature=|authorization/i);
    }
  });
});
