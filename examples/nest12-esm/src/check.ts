import { CommMsgType, CrossCommClient } from 'cross-comm/sdk';
import { deepStrictEqual, strictEqual } from 'node:assert';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Starts the application on a free port and lets a client talk to each of its listeners and to its own gateway.
const watchdog = setTimeout(() => {
  console.error('nest12-esm: no answer within 30 s');
  process.exit(1);
}, 30_000);
const folder = await mkdtemp(join(tmpdir(), 'cross-comm-example-'));
process.env['DATA_DIR'] = join(folder, 'data');
process.env['INBOX'] = join(folder, 'inbox');
const { createApp } = await import('./create-app.js');
const { Archive } = await import('./archive.js');

const app = await createApp({ quiet: true });
await app.listen(0, '127.0.0.1');
const { port } = app.getHttpServer().address() as AddressInfo;
const client = new CrossCommClient({ url: `ws://127.0.0.1:${port}/hub`, clientId: 'alice' });
try {
  await client.login();
  const answer = (): Promise<unknown> =>
    new Promise((resolve) => {
      const stop = client.onMessage(CommMsgType.TEXT, ({ content }) => {
        stop();
        resolve(content);
      });
    });

  let answered = answer();
  await client.sendMessage({ temperature: 21.5 }, CommMsgType.DICT, 'server');
  strictEqual(await answered, 'thanks for a dict');

  const file = join(folder, 'report.txt');
  await writeFile(file, 'All is well.');
  answered = answer();
  await client.sendMessage(file, CommMsgType.FILE, 'server');
  strictEqual(await answered, 'received 12 bytes');

  await client.sendMessage('this is spam', CommMsgType.TEXT);
  await client.sendMessage('this is not', CommMsgType.TEXT);
  answered = answer();
  await client.sendMessage([1, 2], CommMsgType.JSON, 'server');
  strictEqual(await answered, 'thanks for JSON text');
  deepStrictEqual(app.get(Archive).texts, ['alice: this is not']);

  const prices = new (await import('ws')).WebSocket(`ws://127.0.0.1:${port}/prices`);
  const price = await new Promise<string>((resolve, reject) => {
    prices.once('error', reject);
    prices.once('open', () => prices.send('{"event":"price","data":"apple"}'));
    prices.once('message', (data: Buffer) => resolve(data.toString()));
  });
  prices.close();
  deepStrictEqual(JSON.parse(price), { event: 'price', data: 5 });
} finally {
  await client.logout();
  await app.close();
  await rm(folder, { recursive: true, force: true });
}
clearTimeout(watchdog);
console.log('nest12-esm: ok');
