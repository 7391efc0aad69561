// A hub and two clients in one process: one message of each of the seven types, with a real file, image and folder.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { CrossCommGateway, CrossCommModule, CommMsgType } from 'cross-comm';
import { CrossCommClient } from 'cross-comm/sdk';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const TIMEOUT_MS = 30_000;
const ONE_RED_PIXEL_PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==',
  'base64',
);

const folder = await mkdtemp(join(tmpdir(), 'cross-comm-demo-'));
const watchdog = setTimeout(() => {
  console.error(`The demo did not finish within ${TIMEOUT_MS / 1000} s.`);
  process.exit(1);
}, TIMEOUT_MS);

try {
  await demo();
  console.log('\nAll seven types arrived.');
} finally {
  clearTimeout(watchdog);
  await rm(folder, { recursive: true, force: true });
}

async function demo() {
  const hub = await NestFactory.createApplicationContext(
    CrossCommModule.forRoot({ port: 0, host: '127.0.0.1', dataDir: join(folder, 'hub') }),
    { logger: ['warn', 'error'] },
  );
  const { port } = hub.get(CrossCommGateway).address;
  const url = `ws://127.0.0.1:${port}`;
  console.log(`Hub: ${url}\n`);
  const alice = new CrossCommClient({ url, clientId: 'alice' });
  const bob = new CrossCommClient({ url, clientId: 'bob' });
  await Promise.all([alice.login(), bob.login()]);

  const outbox = await prepareFiles(join(folder, 'outbox'));
  const messages = [
    [CommMsgType.TEXT, 'Hello, Bob!', 'Hello, Bob!'],
    [CommMsgType.JSON, '{"answer": 42}', '{"answer": 42}'],
    [CommMsgType.DICT, { temperature: 21.5, unit: '°C' }, { temperature: 21.5, unit: '°C' }],
    [CommMsgType.BYTES, new Uint8Array([0, 1, 2, 255]), '4 bytes: 00 01 02 ff'],
    [CommMsgType.FILE, outbox.file, 'report.txt holds "All is well."'],
    [CommMsgType.IMAGE, outbox.image, `${ONE_RED_PIXEL_PNG.length} bytes, identical`],
    [CommMsgType.FOLDER, outbox.folder, 'one.txt, sub/two.txt'],
  ];
  const arrived = [];
  const complete = new Promise((resolve, reject) => {
    bob.onMessage({ downloadDirectory: join(folder, 'inbox') }, async (message) => {
      try {
        arrived.push({ type: message.msgType, value: await describe(message) });
        if (arrived.length === messages.length) resolve();
      } catch (error) {
        reject(error);
      }
    });
  });
  for (const [type, content] of messages) await alice.sendMessage(content, type, 'bob');
  await complete;
  for (const [index, [type, , expected]] of messages.entries()) {
    const { type: gotType, value } = arrived[index];
    const ok = gotType === type && JSON.stringify(value) === JSON.stringify(expected);
    console.log(`${ok ? '✔' : '✘'} ${type.padEnd(7)} ${JSON.stringify(value)}`);
    if (!ok) throw new Error(`${type}: expected ${JSON.stringify(expected)}`);
  }
  await Promise.all([alice.logout(), bob.logout()]);
  await hub.close();
}

async function prepareFiles(root) {
  await mkdir(join(root, 'photos', 'sub'), { recursive: true });
  await writeFile(join(root, 'report.txt'), 'All is well.');
  await writeFile(join(root, 'dot.png'), ONE_RED_PIXEL_PNG);
  await writeFile(join(root, 'photos', 'one.txt'), '1');
  await writeFile(join(root, 'photos', 'sub', 'two.txt'), '2');
  return { file: join(root, 'report.txt'), image: join(root, 'dot.png'), folder: join(root, 'photos') };
}

async function describe({ msgType, content }) {
  if (msgType === CommMsgType.BYTES) return `${content.length} bytes: ${Buffer.from(content).toString('hex').replace(/..(?!$)/g, '$& ')}`;
  if (msgType === CommMsgType.FILE) return `report.txt holds "${await readFile(content, 'utf8')}"`;
  if (msgType === CommMsgType.IMAGE) return `${(await stat(content)).size} bytes, ${(await readFile(content)).equals(ONE_RED_PIXEL_PNG) ? 'identical' : 'DIFFERENT'}`;
  if (msgType === CommMsgType.FOLDER) return (await filesBelow(content)).join(', ');
  return content;
}

/** Paths below the uploaded folder; the key's own folders are left out. */
async function filesBelow(directory) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(/[/\\]/).slice(3).join('/'))
    .toSorted();
}
