import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { relativePathProblem } from '../../src/protocol/index.js';
import { downloadAttachment, downloadFolder, uploadAttachment, uploadFolder, type FileStorage, type ObjectInfo, type TransferProgress } from '../../src/storage/index.js';
import { startStore, type StoreFixture } from './store-fixture.js';

let fixture: StoreFixture;
beforeEach(async () => {
  fixture = await startStore();
});
afterEach(() => fixture.close());

const put = (storage: FileStorage, key: string, content: string) => storage.put(key, Readable.from([Buffer.from(content)]), { sizeBytes: Buffer.byteLength(content) });

async function localFolder(name: string, files: Record<string, string>, emptyFolders: string[] = []): Promise<string> {
  const root = join(fixture.scratch, name);
  await mkdir(root, { recursive: true });
  for (const folder of emptyFolders) await mkdir(join(root, folder), { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

/** All files (with content) and empty folders below a directory, by relative path. */
async function tree(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found[relative(root, path)] = await readFile(path, 'utf8');
    else if ((await readdir(path)).length === 0) found[`${relative(root, path)}/`] = '';
  }
  return found;
}

describe.each(['embedded', 'oss'] as const)('folder transfer with the %s driver', (name) => {
  let storage: FileStorage;
  beforeEach(() => {
    storage = name === 'oss' ? fixture.driver() : fixture.store.storage;
  });

  test('keeps names, nesting and empty sub-folders, with progress for the whole', async () => {
    const files = { 'a.txt': 'A', 'sub/b ü.txt': 'BB', 'sub/deep/er/c': 'CCC', 'sub/zero': '' };
    const root = await localFolder('f', files, ['empty', 'sub/hollow']);
    const up: TransferProgress[] = [];
    expect(await uploadFolder(storage, { prefix: 'p/folder', path: root, onProgress: (progress) => up.push(progress) })).toEqual({ files: 4, bytes: 6 });
    expect(up.at(-1)).toEqual({ transferredBytes: 6, totalBytes: 6, doneFiles: 4, totalFiles: 4 });
    const directory = join(fixture.scratch, 'back');
    const down: TransferProgress[] = [];
    await downloadFolder(storage, { prefix: 'p/folder/', directory, onProgress: (progress) => down.push(progress) });
    expect(await tree(directory)).toEqual({ ...files, 'empty/': '', 'sub/hollow/': '' });
    expect(down.at(-1)).toEqual({ transferredBytes: 6, totalBytes: 6, doneFiles: 4, totalFiles: 4 });
  });

  test('moves 500 small files there and back', async () => {
    const files = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`d${n % 7}/f${n}.txt`, `content ${n}`]));
    const root = await localFolder('many', files);
    await uploadFolder(storage, { prefix: 'many/', path: root });
    const directory = join(fixture.scratch, 'many-back');
    await downloadFolder(storage, { prefix: 'many/', directory });
    expect(await tree(directory)).toEqual(files);
  }, 30_000);

  test('goes on where a cut download stopped: what is there already is not fetched again', async () => {
    for (const key of ['g/a', 'g/b', 'g/c']) await put(storage, key, key);
    const directory = await localFolder('g', { a: 'g/a', b: 'other' });
    const fetched: string[] = [];
    fixture.onRequest = (method, url) => method === 'GET' && !url.includes('list-type') && fetched.push(url.split('?')[0] as string);
    await downloadFolder(storage, { prefix: 'g', directory });
    expect(await tree(directory)).toEqual({ a: 'g/a', b: 'g/b', c: 'g/c' });
    if (name === 'oss') expect(fetched.sort()).toEqual(['/cross-comm/g/b', '/cross-comm/g/c']);
  });
});

describe('unsafe folders', () => {
  test('a link that leaves the folder, leads to a folder or nowhere is refused, one to a file inside is followed', async () => {
    const { storage } = fixture.store;
    await writeFile(join(fixture.scratch, 'secret'), 'secret');
    const targets = { out: '../secret', nowhere: 'missing', up: '..', self: '.' };
    for (const [name, target] of Object.entries(targets)) {
      const root = await localFolder(`bad-${name}`, { 'a.txt': 'A' });
      await symlink(target, join(root, 'link'));
      await expect(uploadFolder(storage, { prefix: `${name}/`, path: root })).rejects.toMatchObject({ code: 'CC_UNSAFE_PATH' });
    }
    const root = await localFolder('good', { 'a.txt': 'A' });
    await symlink('a.txt', join(root, 'link'));
    await uploadFolder(storage, { prefix: 'good/', path: root });
    expect((await storage.head('good/link')).sizeBytes).toBe(1);
    const listed: string[] = [];
    for await (const { key } of storage.list('')) listed.push(key);
    expect(listed).toEqual(['good/a.txt', 'good/link']);
  });

  test('a name that another system cannot store is refused before anything is uploaded', async () => {
    const root = await localFolder('names', { ok: 'x', 'sub/nul.txt': 'x' });
    await expect(uploadFolder(fixture.store.storage, { prefix: 'n/', path: root })).rejects.toMatchObject({ code: 'CC_UNSAFE_PATH' });
    await expect(fixture.store.storage.head('n/ok')).rejects.toMatchObject({ code: 'CC_FILE_NOT_FOUND' });
  });

  test('one unsafe key in a listing stops the download before a byte is written', async () => {
    const { storage } = fixture.store;
    for (const bad of ['u/../../x', 'u//abs', 'u/C:/x', 'u/nul', 'u/a\\b', 'u/x\u0000', 'u/./x']) {
      await put(storage, 'u/a-good', 'x');
      await put(storage, bad, 'x');
      const directory = join(fixture.scratch, 'u');
      await expect(downloadFolder(storage, { prefix: 'u/', directory })).rejects.toMatchObject({ code: 'CC_UNSAFE_PATH' });
      await expect(stat(directory)).rejects.toMatchObject({ code: 'ENOENT' });
      await storage.remove([bad]);
    }
  });

  test('a link inside the target directory that leads out of it is not written through', async () => {
    const { storage } = fixture.store;
    await put(storage, 't/sub/x', 'x');
    const outside = await localFolder('outside', {});
    const directory = await localFolder('t', {});
    await symlink(outside, join(directory, 'sub'));
    await expect(downloadFolder(storage, { prefix: 't/', directory })).rejects.toMatchObject({ code: 'CC_UNSAFE_PATH' });
    expect(await readdir(outside)).toEqual([]);
  });

  test('whatever the key, a download writes inside its directory or not at all', async () => {
    const part = fc.oneof(fc.constantFrom('..', '.', '', 'a', 'b.txt', 'C:', 'nul', '~', ' ', '\u0000', '..\\..', '%2e%2e', 'ü'), fc.string({ maxLength: 5 }));
    const { storage } = fixture.store;
    // A storage that has an object under any name, as a malicious sender's would.
    const content = Buffer.from('evil');
    const lying = Object.create(storage) as FileStorage;
    const info = (key: string): ObjectInfo => ({ key, sizeBytes: content.length, etag: 'X-1', lastModifiedMs: 0 });
    lying.head = async (key) => info(key);
    lying.get = async (key) => ({ info: info(key), body: Readable.from([content]) });
    lying.list = async function* (prefix) {
      yield info(`${prefix}file`);
    };
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 4 }), fc.constantFrom('file' as const, 'folder' as const), async (parts, msgType) => {
        const ossKey = parts.join('/');
        const base = join(fixture.scratch, `prop${round++}`);
        const directory = join(base, 'a', 'b', 'downloads');
        const result = await downloadAttachment(lying, { msgType, ossKey, directory, nowMs: 1_000 }).catch((error: { code: string }) => error.code);
        const written = Object.keys(await tree(base).catch(() => ({})));
        const safe = relativePathProblem(msgType === 'folder' && ossKey.endsWith('/') ? ossKey.slice(0, -1) : ossKey) === undefined;
        if (!safe) expect([result, written]).toEqual(['CC_UNSAFE_PATH', []]);
        else for (const path of written) expect(path.startsWith(join('a', 'b', 'downloads'))).toBe(true);
        await rm(base, { recursive: true, force: true });
      }),
      { numRuns: 150 },
    );
  });
});

describe('attachments', () => {
  const stamp = { nowMs: 1_700_000_000_123, hex8: '0badcafe' };

  test('a file goes below its whole key, as the Python client puts it', async () => {
    const { storage } = fixture.store;
    const path = join(await localFolder('s', { 'photo.PNG': 'png' }), 'photo.PNG');
    const key = await uploadAttachment(storage, { clientId: 'alice', msgType: 'image', path, stamp });
    expect(key).toBe('cross_comm/alice/1700000000123_0badcafe.PNG');
    const directory = join(fixture.scratch, 'd');
    const local = await downloadAttachment(storage, { msgType: 'image', ossKey: key, directory, nowMs: 0 });
    expect(local).toBe(join(directory, key));
    expect(await readFile(local, 'utf8')).toBe('png');
  });

  test('a folder goes below folder_<seconds>, a second one of the same second beside it', async () => {
    const { storage } = fixture.store;
    const path = await localFolder('s', { 'a.txt': 'A' }, ['empty']);
    const key = await uploadAttachment(storage, { clientId: 'alice', msgType: 'folder', path, stamp });
    expect(key).toBe('cross_comm/alice/1700000000123_0badcafe_folder/');
    const directory = join(fixture.scratch, 'd');
    const request = { msgType: 'folder' as const, ossKey: key, directory, nowMs: 1_700_000_001_999 };
    const [first, second] = [await downloadAttachment(storage, request), await downloadAttachment(storage, request)];
    expect([first, second]).toEqual([join(directory, 'folder_1700000001'), join(directory, 'folder_1700000001_2')]);
    expect(await tree(second)).toEqual({ [`${key}a.txt`]: 'A', [`${key}empty/`]: '' });
  });

  test('keys of the Java client work: a file at the top, a folder without a slash that is not its longer neighbour', async () => {
    const { storage } = fixture.store;
    await put(storage, 'bob_1700_report final.pdf', 'pdf');
    for (const key of ['jdir/a', 'jdir/b/c', 'jdir2/x']) await put(storage, key, key);
    const directory = join(fixture.scratch, 'j');
    const file = await downloadAttachment(storage, { msgType: 'file', ossKey: 'bob_1700_report final.pdf', directory, nowMs: 0 });
    expect(file).toBe(join(directory, 'bob_1700_report final.pdf'));
    const folder = await downloadAttachment(storage, { msgType: 'folder', ossKey: 'jdir', directory, nowMs: 5_000 });
    expect(await tree(folder)).toEqual({ 'jdir/a': 'jdir/a', 'jdir/b/c': 'jdir/b/c' });
  });

  test('an empty folder, for which Python uploads nothing, arrives as an empty folder', async () => {
    const directory = join(fixture.scratch, 'e');
    const folder = await downloadAttachment(fixture.store.storage, { msgType: 'folder', ossKey: 'cross_comm/p/1_00000000_folder/', directory, nowMs: 9_000 });
    expect(await tree(folder)).toEqual({ 'cross_comm/p/1_00000000_folder/': '' });
  });

  test('a different file in the way is kept, an identical one is used', async () => {
    const { storage } = fixture.store;
    await put(storage, 'k/name.tar.gz', 'mine');
    const directory = await localFolder('c', { 'k/name.tar.gz': 'yours' });
    const request = { msgType: 'file' as const, ossKey: 'k/name.tar.gz', directory, nowMs: 0 };
    const first = await downloadAttachment(storage, request);
    expect(first).toBe(join(directory, 'k', 'name.tar_2.gz'));
    expect(await downloadAttachment(storage, request)).toBe(first);
    expect(await tree(directory)).toEqual({ 'k/name.tar.gz': 'yours', 'k/name.tar_2.gz': 'mine' });
  });

  test('large files of a folder travel in parts too, and a missing object writes nothing', async () => {
    const { storage } = fixture.store;
    const root = await localFolder('big', {});
    const bytes = randomBytes(1_000_000);
    await writeFile(join(root, 'big.bin'), bytes);
    await uploadFolder(storage, { prefix: 'big/', path: root, partSizeBytes: 128 * 1024 });
    expect((await storage.head('big/big.bin')).etag).toMatch(/-8$/);
    const directory = join(fixture.scratch, 'big-back');
    await downloadFolder(storage, { prefix: 'big/', directory, partSizeBytes: 128 * 1024 });
    expect(bytes.equals(await readFile(join(directory, 'big.bin')))).toBe(true);
    const missing = downloadAttachment(storage, { msgType: 'file', ossKey: 'missing/x', directory: join(fixture.scratch, 'm'), nowMs: 0 });
    await expect(missing).rejects.toMatchObject({ code: 'CC_FILE_NOT_FOUND' });
    await expect(stat(join(fixture.scratch, 'm'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
