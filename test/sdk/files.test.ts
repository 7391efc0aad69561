import { describe, expect, test } from '@jest/globals';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { FileProgress, Message } from '../../src/sdk/index.node.js';
import { WebSocket } from 'ws';
import { CrossCommError } from '../../src/protocol/index.js';
import { loadOrGenerateCredentials } from '../../src/storage/index.js';
import { PythonServer } from './support/python-server.js';
import { codeOf, inboxOf, online, openHub, temporaryDirectory, until } from './support/clients.js';

describe('files over the hub', () => {
  test('arrive where the listener wants them, once per directory, and elsewhere as they were sent', async () => {
    const hub = await openHub();
    const directory = await temporaryDirectory();
    const [alice, bob] = [await online({ url: hub.url, clientId: 'alice' }), await online({ url: hub.url, clientId: 'bob' })];
    const path = join(directory, 'report.PDF');
    const bytes = randomBytes(300_000);
    await writeFile(path, bytes);
    const heard: Message[] = [];
    for (const downloadDirectory of ['in', 'in', 'other'])
      bob.onMessage({ msgType: 'file', downloadDirectory: join(directory, downloadDirectory) }, (message) => void heard.push(message));
    bob.onMessage('file', (message) => void heard.push(message));
    const progress: FileProgress[] = [];
    await alice.sendMessage(path, 'file', 'bob', { onProgress: (step) => progress.push(step) });
    await until(() => heard.length === 4, 'the message four times');
    const [first, second, third, plain] = heard as [Message, Message, Message, Message];
    expect(plain.ossKey).toMatch(/^cross_comm\/alice\/\d{13}_[0-9a-f]{8}\.PDF$/);
    expect([plain.content, plain.localPath]).toEqual([path, undefined]);
    expect([first.content, first.localPath]).toEqual([join(directory, 'in', plain.ossKey!), join(directory, 'in', plain.ossKey!)]);
    expect(second.content).toBe(first.content);
    expect(third.content).toBe(join(directory, 'other', plain.ossKey!));
    expect((await readFile(first.localPath!)).equals(bytes)).toBe(true);
    expect(progress.at(-1)).toEqual({ transferredBytes: 300_000, totalBytes: 300_000, doneFiles: 1, totalFiles: 1 });
    const manual = await bob.downloadFileManually(plain.ossKey!, join(directory, 'manual'));
    expect((await readFile(manual)).equals(bytes)).toBe(true);
  });

  test('travel in parts when they are large, and folders with all that is in them', async () => {
    const hub = await openHub();
    const directory = await temporaryDirectory();
    const [alice, bob] = [await online({ url: hub.url, clientId: 'alice' }), await online({ url: hub.url, clientId: 'bob' })];
    const heard: Message[] = [];
    bob.onMessage({ msgType: ['folder', 'image'], downloadDirectory: join(directory, 'in') }, (message) => void heard.push(message));
    const large = randomBytes(9_000_000);
    await writeFile(join(directory, 'large.png'), large);
    await mkdir(join(directory, 'folder/sub/empty'), { recursive: true });
    for (let i = 0; i < 40; i++) await writeFile(join(directory, `folder/sub/${i}.txt`), `content ${i}`);
    await alice.sendMessage(join(directory, 'large.png'), 'image', 'bob');
    await alice.sendMessage(join(directory, 'folder'), 'folder', 'bob');
    await until(() => heard.length === 2, 'both messages', 20_000);
    const [image, folder] = heard as [Message, Message];
    expect([image.downloadError, folder.downloadError]).toEqual([undefined, undefined]);
    expect((await readFile(image.localPath!)).equals(large)).toBe(true);
    expect(folder.ossKey?.endsWith('_folder/')).toBe(true);
    for (let i = 0; i < 40; i++) expect(await readFile(join(folder.localPath!, folder.ossKey!, `sub/${i}.txt`), 'utf8')).toBe(`content ${i}`);
    const manual = await bob.downloadFileManually(folder.ossKey!, join(directory, 'manual'));
    expect(await readFile(join(manual, folder.ossKey!, 'sub/7.txt'), 'utf8')).toBe('content 7');
  });

  test('that are missing, of the wrong kind or aborted fail the call, and nothing is sent', async () => {
    const hub = await openHub();
    const directory = await temporaryDirectory();
    const [alice, bob] = [await online({ url: hub.url, clientId: 'alice' }), await online({ url: hub.url, clientId: 'bob' })];
    const inbox = inboxOf(bob);
    await writeFile(join(directory, 'large.bin'), randomBytes(30_000_000));
    const abort = new AbortController();
    const aborted = alice.sendMessage(join(directory, 'large.bin'), 'file', 'bob', { signal: abort.signal, onProgress: () => abort.abort() });
    expect(await codeOf(aborted)).toBe('CC_ABORTED');
    expect(await codeOf(alice.sendMessage(join(directory, 'large.bin'), 'file', 'bob', { timeoutMs: 1 }))).toBe('CC_TIMEOUT');
    expect(await codeOf(alice.sendMessage(join(directory, 'nothing'), 'file', 'bob'))).toBe('CC_FILE_NOT_FOUND');
    expect(await codeOf(alice.sendMessage(directory, 'image', 'bob'))).toBe('CC_FILE_NOT_FOUND');
    expect(await codeOf(alice.sendMessage(join(directory, 'large.bin'), 'folder', 'bob'))).toBe('CC_FILE_NOT_FOUND');
    expect(await codeOf(alice.sendMessage(7, 'file', 'bob'))).toBe('CC_INVALID_CONTENT');
    const cut = codeOf(alice.sendMessage(join(directory, 'large.bin'), 'file', 'bob'));
    await alice.logout();
    expect(await cut).toBe('CC_CLOSED');
    expect(inbox).toEqual([]);
  });

  test('that cannot be downloaded are delivered with the error and the original content', async () => {
    const hub = await openHub();
    const directory = await temporaryDirectory();
    const bob = await online({ url: hub.url, clientId: 'bob' });
    const heard: Message[] = [];
    bob.onMessage({ downloadDirectory: directory }, (message) => void heard.push(message));
    // as a foreign sender would: keys of nothing, and keys that would escape
    const send = async (ossKey: string): Promise<void> => {
      const socket = new WebSocket(hub.url);
      await new Promise((resolve) => socket.once('open', resolve));
      const login = { msg_id: 'm', from_client_id: 'raw', to_client_id: 'server', msg_type: 'login', content: {}, timestamp: 1, oss_key: null };
      const count = heard.length;
      socket.send(JSON.stringify(login));
      socket.send(JSON.stringify({ ...login, to_client_id: 'bob', msg_type: 'file', content: '/home/raw/x', oss_key: ossKey }));
      await until(() => heard.length > count, 'the message');
      socket.terminate();
    };
    await send('cross_comm/raw/nothing.txt');
    await send('../../escape.txt');
    expect(heard.map(({ content, localPath, downloadError }) => [content, localPath, (downloadError as CrossCommError).code])).toEqual([
      ['/home/raw/x', undefined, 'CC_FILE_NOT_FOUND'],
      ['/home/raw/x', undefined, 'CC_UNSAFE_PATH'],
    ]);
  });

  test('are refused with the remedy when the hub has no storage', async () => {
    const hub = await openHub({ storage: { driver: 'none' } });
    const alice = await online({ url: hub.url, clientId: 'alice' });
    await expect(alice.sendMessage('package.json', 'file')).rejects.toThrow(/OSS_ENDPOINT/);
    const brokered = await online({ url: hub.url, clientId: 'bob', fileStorage: 'brokered' });
    expect(await codeOf(brokered.sendMessage('package.json', 'file'))).toBe('CC_UNSUPPORTED');
  });
});

describe('files with credentials of the client', () => {
  test('go through the bucket of the environment, also towards a Python server', async () => {
    const hub = await openHub();
    const { accessKeyId, accessKeySecret } = await loadOrGenerateCredentials(join(hub.dataDir, 'storage'));
    const variables = {
      OSS_ENDPOINT: hub.httpUrl,
      OSS_BUCKET_NAME: 'cross-comm',
      OSS_ACCESS_KEY_ID: accessKeyId,
      OSS_ACCESS_KEY_SECRET: accessKeySecret,
    };
    const server = await PythonServer.start();
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'a.txt'), 'by oss');
    const before = { ...process.env };
    Object.assign(process.env, variables);
    try {
      const [alice, bob] = [await online({ url: server.url, clientId: 'alice' }), await online({ url: server.url, clientId: 'bob', fileStorage: 'oss' })];
      const heard: Message[] = [];
      bob.onMessage({ msgType: 'file', downloadDirectory: join(directory, 'in') }, (message) => void heard.push(message));
      await alice.sendMessage(join(directory, 'a.txt'), 'file');
      await until(() => heard.length === 1, 'the file');
      expect(heard[0]?.downloadError).toBeUndefined();
      expect(await readFile(heard[0]!.localPath!, 'utf8')).toBe('by oss');
      expect(server.of('file')[0]).toMatchObject({ content: join(directory, 'a.txt'), oss_key: heard[0]!.ossKey });
    } finally {
      for (const name of Object.keys(variables)) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });
});
