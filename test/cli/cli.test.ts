import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrossCommClient } from '../../src/sdk/index.node.js';
import { startTestHub, type TestHub } from '../../src/testing/index.js';
import { runCli, startCli } from './run-cli.js';

let hub: TestHub;
let folder: string;

beforeAll(async () => {
  hub = await startTestHub();
  folder = await mkdtemp(join(tmpdir(), 'cross-comm-cli-'));
});

afterAll(async () => {
  await hub.close();
  await rm(folder, { recursive: true, force: true });
});

interface ListenedMessage {
  readonly fromClientId: string;
  readonly msgType: string;
  readonly content: unknown;
  readonly localPath?: string;
}

async function listenFor(id: string, count: number, ...flags: string[]): Promise<{ messages: Promise<ListenedMessage[]> }> {
  const listener = startCli(['listen', '--url', hub.url, '--id', id, '--count', String(count), ...flags]);
  await listener.printed(`Listening as ${id}`);
  const messages = listener.finished.then(({ exitCode, stdout, stderr }) => {
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining('Listening') });
    return stdout.trim().split('\n').map((line) => JSON.parse(line) as ListenedMessage);
  });
  return { messages };
}

describe('cross-comm send and listen', () => {
  test('a text, a dict, json and bytes arrive as one JSON line each', async () => {
    const { messages } = await listenFor('bob', 4);
    const sent = [
      ['text', 'héllo'],
      ['dict', '{"a": [1, 2]}'],
      ['json', '{"b": 1}'],
      ['bytes', 'abc'],
    ];
    for (const [type = '', content = ''] of sent) {
      const { exitCode, stdout } = await runCli(['send', content, '--type', type, '--to', 'bob', '--id', 'alice', '--url', hub.url, '--json']);
      expect(exitCode).toBe(0);
      expect(JSON.parse(stdout)).toEqual({ sent: true, receipt: 'stored', from: 'alice', to: 'bob', type });
    }
    expect((await messages).map(({ fromClientId, msgType, content }) => [fromClientId, msgType, content])).toEqual([
      ['alice', 'text', 'héllo'],
      ['alice', 'dict', { a: [1, 2] }],
      ['alice', 'json', '{"b": 1}'],
      ['alice', 'bytes', { base64: 'YWJj' }],
    ]);
  });

  test('a file and a folder are uploaded, downloaded and named by their local path', async () => {
    await mkdir(join(folder, 'photos', 'sub'), { recursive: true });
    await writeFile(join(folder, 'photos', 'sub', 'a.txt'), 'A');
    await writeFile(join(folder, 'report.txt'), 'all is well');
    const { messages } = await listenFor('carol', 2, '--download', join(folder, 'in'));
    const file = await runCli(['send', join(folder, 'report.txt'), '--type', 'file', '--to', 'carol', '--url', hub.url]);
    expect(file).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('11 bytes transferred') });
    expect(await runCli(['send', join(folder, 'photos'), '--type', 'folder', '--to', 'carol', '--url', hub.url])).toMatchObject({ exitCode: 0 });
    const [report, photos] = await messages;
    expect(await readFile(String(report?.localPath), 'utf8')).toBe('all is well');
    const names = await readdir(String(photos?.localPath), { recursive: true });
    expect(names.some((name) => name.endsWith(join('sub', 'a.txt')))).toBe(true);
  });

  test('an addressee that is not online is refused with exit code 4', async () => {
    const { exitCode, stderr } = await runCli(['send', 'hi', '--to', 'nobody', '--url', hub.url]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 4, stderr: expect.stringContaining('CC_UNKNOWN_CLIENT') });
  });

  test('what is sent while the listener is away, or beyond its count, waits for the next one', async () => {
    const first = await listenFor('mia', 1);
    for (const text of ['1', '2']) expect(await runCli(['send', text, '--to', 'mia', '--url', hub.url])).toMatchObject({ exitCode: 0 });
    expect((await first.messages).map(({ content }) => content)).toEqual(['1']);
    const waiting = startCli(['send', '3', '--to', 'mia', '--receipt', 'processed', '--url', hub.url, '--json']);
    const second = await listenFor('mia', 2);
    expect((await second.messages).map(({ content }) => content)).toEqual(['2', '3']);
    const { exitCode, stdout } = await waiting.finished;
    expect([exitCode, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ receipt: 'processed' })]);
  });

  test('--live reaches only who is there', async () => {
    const { messages } = await listenFor('ned', 1);
    const { stdout } = await runCli(['send', 'now', '--live', '--to', 'ned', '--url', hub.url, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ receipt: 'sent' });
    expect(await messages).toHaveLength(1);
    expect(await runCli(['send', 'too late', '--live', '--to', 'ned', '--url', hub.url])).toMatchObject({ exitCode: 4 });
  });

  test('a file that does not exist is exit code 5, and with --json a JSON error', async () => {
    const { exitCode, stderr } = await runCli(['send', join(folder, 'nope'), '--type', 'file', '--url', hub.url, '--json']);
    expect(exitCode).toBe(5);
    expect(JSON.parse(stderr)).toEqual({ error: expect.stringContaining('CC_FILE_NOT_FOUND') });
  });

  test('a hub that cannot be reached is exit code 3', async () => {
    const free = await freePort();
    expect(await runCli(['send', 'hi', '--url', `ws://127.0.0.1:${free}`, '--timeout', '1'])).toMatchObject({ exitCode: 3 });
  });

  test.each([
    ['an unknown flag', ['send', 'hi', '--nope']],
    ['no content', ['send']],
    ['an unknown type', ['send', 'hi', '--type', 'video']],
    ['a dict that is not JSON', ['send', '{', '--type', 'dict']],
    ['an unknown command', ['fly']],
    ['a port that is no number', ['server', '--port', 'x']],
  ])('%s is exit code 2 with a hint', async (_, args) => {
    const { exitCode, stderr } = await runCli(args);
    expect(exitCode).toBe(2);
    expect(stderr).not.toBe('');
  });

  test('every command has help with examples', async () => {
    for (const command of ['server', 'client', 'send', 'listen', 'clients']) {
      const { exitCode, stdout } = await runCli([command, '--help']);
      expect({ command, exitCode, stdout }).toEqual({ command, exitCode: 0, stdout: expect.stringContaining(`cross-comm ${command}`) });
    }
  });
});

describe('cross-comm clients', () => {
  test('lists who is online as JSON lines', async () => {
    const dora = new CrossCommClient({ url: hub.url, clientId: 'dora' });
    await dora.login();
    const { exitCode, stdout } = await runCli(['clients', '--online', '--json', '--url', hub.url]);
    await dora.logout();
    expect(exitCode).toBe(0);
    expect(stdout.trim().split('\n').map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining({ clientId: 'dora', status: 'online' }),
    );
  });
});

describe('cross-comm client', () => {
  test('sends what is typed, prints what arrives, and says what is wrong', async () => {
    const erin = new CrossCommClient({ url: hub.url, clientId: 'erin' });
    const received: unknown[] = [];
    erin.onMessage({ fromClientId: 'frank' }, async (message) => {
      received.push([message.msgType, message.content, message.toClientId]);
      if (message.msgType === 'text') await erin.sendMessage('\u001b[2Jback', 'text', 'frank');
    });
    await erin.login();
    const frank = startCli(['client', '--id', 'frank', '--url', hub.url]);
    await frank.printed('Connected as frank');
    frank.child.stdin.write('hello there\n');
    await frank.printed('[erin] text: back');
    frank.child.stdin.write('json:{"a":1}\njson:{bad\nto:erin\ndict:{"n":2}\nbytes:abc\nlist\nto:ghost\nboo\nquit\n');
    const { exitCode, stdout, stderr } = await frank.finished;
    await erin.logout();
    expect(exitCode).toBe(0);
    expect(received).toEqual([
      ['text', 'hello there', 'all'],
      ['json', '{"a":1}', 'all'],
      ['dict', { n: 2 }, 'erin'],
      ['bytes', new Uint8Array([97, 98, 99]), 'erin'],
    ]);
    expect(stdout).toContain('online  erin');
    expect(stdout).not.toContain('\u001b[2J');
    expect(stderr).toContain('CC_INVALID_CONTENT');
    expect(stderr).toContain('CC_UNKNOWN_CLIENT');
  });
});

describe('cross-comm server', () => {
  test('prints its address, what is switched on, the storage keys and that authentication is off; ends with 0', async () => {
    const server = startCli(['server', '--port', '0', '--host', '127.0.0.1', '--data-dir', join(folder, 'hub'), '--heartbeat-timeout', '20']);
    await server.printed('authentication is OFF');
    await server.printed('OSS_ACCESS_KEY_SECRET=');
    server.child.kill('SIGTERM');
    const { exitCode, stdout } = await server.finished;
    expect(exitCode).toBe(0);
    const url = /ws:\/\/127\.0\.0\.1:\d+/.exec(stdout)?.[0];
    expect(url).toBeDefined();
    expect(url).not.toBe('ws://127.0.0.1:0');
    expect(stdout).toContain(`  mail:    in ${join(folder, 'hub', 'mail')}; 0 messages wait\n`);
  });

  test('with --json prints one line that scripts read, and serves at that address', async () => {
    const server = startCli(['server', '--port', '0', '--host', '127.0.0.1', '--storage', 'none', '--data-dir', join(folder, 'hub2'), '--json']);
    const listening = JSON.parse(await server.printed('listening')) as { urls: string[]; mail: unknown };
    expect(listening.mail).toEqual({ place: join(folder, 'hub2', 'mail'), messages: 0 });
    const client = new CrossCommClient({ url: listening.urls[0] ?? '', clientId: 'gina' });
    await client.login();
    expect(client.status.state).toBe('online');
    await client.logout();
    server.child.kill('SIGINT');
    expect((await server.finished).exitCode).toBe(0);
  });

  test('reads .env of its folder, and refuses storage oss without its settings', async () => {
    const home = await mkdtemp(join(folder, 'env-'));
    expect(await runCli(['server', '--storage', 'oss', '--port', '0'], { cwd: home })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('OSS_ENDPOINT'),
    });
    const settings = { OSS_ENDPOINT: 'http://127.0.0.1:1', OSS_BUCKET_NAME: 'b-1', OSS_ACCESS_KEY_ID: 'k', OSS_ACCESS_KEY_SECRET: 's' };
    await writeFile(join(home, '.env'), Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join(''));
    const server = startCli(['server', '--storage', 'oss', '--port', '0', '--host', '127.0.0.1'], home);
    await server.printed('Alibaba Cloud OSS');
    server.child.kill('SIGTERM');
    expect((await server.finished).exitCode).toBe(0);
  });

  test('a taken port is an error that names it', async () => {
    const { exitCode, stderr } = await runCli(['server', '--port', String(hub.port), '--host', '127.0.0.1', '--data-dir', join(folder, 'hub3')]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(String(hub.port));
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
