import { CommMsgType, CrossCommClient } from 'cross-comm/sdk';
import { startTestHub } from 'cross-comm/testing';
import { deepStrictEqual } from 'node:assert';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { servePage } from './page-server.js';

// Opens the page in a real, invisible browser and exchanges messages with it.
const TIMEOUT_MS = 60_000;
const browser = process.env.CHROMIUM_PATH ?? findBrowser(['chromium', 'chromium-browser', 'google-chrome']);
if (browser === undefined) {
  console.error('browser: needs Chromium. Install it, or set CHROMIUM_PATH.');
  process.exit(1);
}
const watchdog = setTimeout(() => {
  console.error(`browser: the page did not answer within ${TIMEOUT_MS / 1000} s`);
  process.exit(1);
}, TIMEOUT_MS);

let hub;
const page = await servePage({ port: 0, hubUrl: () => hub.url });
hub = await startTestHub({ allowedOrigins: [page.url], storage: { driver: 'none' } });
deepStrictEqual(page.inputs.filter((input) => input.startsWith('node:') || input.includes('node_modules/ws/')), [], 'the bundle holds nothing of Node');
const profile = await mkdtemp(join(tmpdir(), 'cross-comm-chromium-'));
const client = new CrossCommClient({ url: hub.url, clientId: 'checker' });
const nextText = () =>
  new Promise((resolve) => {
    const stop = client.onMessage(CommMsgType.TEXT, (message) => {
      stop();
      resolve(message);
    });
  });
let chromium;
try {
  await client.login();
  const greeted = nextText();
  chromium = spawn(browser, ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', `--user-data-dir=${profile}`, page.url], { stdio: 'ignore' });
  const greeting = await greeted;
  deepStrictEqual(greeting.content, 'hello from a page');
  const answered = nextText();
  await client.sendMessage('ping', CommMsgType.TEXT, greeting.fromClientId);
  deepStrictEqual((await answered).content, 'pong');
} finally {
  await stop(chromium);
  await client.logout();
  await hub.close();
  page.server.closeAllConnections();
  page.server.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
}
clearTimeout(watchdog);
console.log(`browser: ok, the page's script has ${page.bytes} bytes`);

function findBrowser(names) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

async function stop(child) {
  if (child === undefined || child.exitCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill();
  await exited;
}
