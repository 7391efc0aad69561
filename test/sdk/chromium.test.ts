import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { CrossCommClient, ErrorCode, Message } from '../../src/sdk/index.js';
import { startTestHub, type TestHub } from '../../src/testing/index.js';
import { browserBundle } from './support/browser-bundle.js';
import { contents, inboxOf, online, temporaryDirectory, until } from './support/clients.js';

/** What the page keeps between two calls of `evaluate`. */
interface PageState {
  readonly sdk: { readonly CrossCommClient: typeof CrossCommClient };
  client: CrossCommClient;
  heard: unknown[];
  states: string[];
}

const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** The next message of a client. */
function heardBy(client: { onMessage(filter: object, handler: (message: Message) => void): () => void }): Promise<Message> {
  return new Promise((resolve) => client.onMessage({}, resolve));
}

describe('in Chromium', () => {
  let pages: Server;
  let hub: TestHub;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const { text } = await browserBundle();
    pages = createServer((request, response) => {
      const isScript = request.url === '/sdk.js';
      response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
      response.end(isScript ? text : '<!doctype html><script type="module">import * as sdk from "/sdk.js"; globalThis.sdk = sdk;</script>');
    });
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    hub = await startTestHub({ allowedOrigins: [origin], shutdownTimeoutMs: 300, closeTimeoutMs: 150 });
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGUMENTS });
    page = await (await browser.newContext()).newPage();
    await page.goto(origin);
    await page.waitForFunction(() => 'sdk' in globalThis);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await hub?.close();
    await new Promise((resolve) => pages.close(resolve));
  });

  test('exchanges text, json, dict, bytes and lists with a Node client, and comes back after the hub dropped it', async () => {
    const node = await online({ url: hub.url, clientId: 'node' });
    const inbox = inboxOf(node);
    const list = await page.evaluate(async (url) => {
      const state = globalThis as unknown as PageState;
      state.heard = [];
      state.states = [];
      state.client = new state.sdk.CrossCommClient({ url, clientId: 'page', reconnect: { minDelayMs: 10, maxDelayMs: 50 } });
      state.client.onMessage({}, ({ msgType, content }: Message) => {
        state.heard.push([msgType, content instanceof Uint8Array ? [...content] : content]);
      });
      state.client.onStatus(({ state: name }) => state.states.push(name));
      await state.client.login();
      await state.client.sendMessage('from the page', 'text', 'node');
      await state.client.sendMessage({ a: 1 }, 'json', 'node');
      await state.client.sendMessage({ a: ['ä'] }, 'dict', 'node');
      await state.client.sendMessage(Uint8Array.of(0, 127, 255), 'bytes', 'node');
      return state.client.listClients({ onlyShowOnline: true });
    }, hub.url);
    expect(list.clients.map(({ clientId }) => clientId).sort()).toEqual(['node', 'page']);
    await until(() => inbox.length === 4, 'four messages');
    expect(contents(inbox)).toEqual(['from the page', '{"a":1}', { a: ['ä'] }, Uint8Array.of(0, 127, 255)]);

    await node.sendMessage('to the page', 'text', 'page');
    await node.sendMessage([1, null], 'dict', 'page');
    await node.sendMessage(Uint8Array.of(1, 2), 'bytes', 'page');
    await page.waitForFunction(() => (globalThis as unknown as PageState).heard.length === 3);
    expect(await page.evaluate(() => (globalThis as unknown as PageState).heard)).toEqual([
      ['text', 'to the page'],
      ['dict', [1, null]],
      ['bytes', [1, 2]],
    ]);

    hub.registry.find('page')?.connection.close(1012, 'drop');
    await page.waitForFunction(() => (globalThis as unknown as PageState).states.at(-1) === 'reconnecting');
    await page.waitForFunction(() => (globalThis as unknown as PageState).states.at(-1) === 'online');
    await page.evaluate(() => (globalThis as unknown as PageState).client.sendMessage('again', 'text', 'node'));
    await until(() => inbox.length === 5, 'the message after the reconnect');
    const states = await page.evaluate(async () => {
      const { client, states } = globalThis as unknown as PageState;
      await client.logout();
      return states;
    });
    expect(states).toEqual(['connecting', 'online', 'reconnecting', 'online', 'closed']);
  });

  test('sends an image that a Node client downloads, and downloads a file that a Node client sent', async () => {
    const directory = await temporaryDirectory();
    const node = await online({ url: hub.url, clientId: 'node' });
    const image = heardBy(node);
    const { refusals, size } = await page.evaluate(async (url) => {
      const state = globalThis as unknown as PageState;
      const client = new state.sdk.CrossCommClient({ url, clientId: 'page' });
      state.client = client;
      state.heard = [];
      client.onMessage({ msgType: 'file' }, (message: Message) => void state.heard.push(message));
      await client.login();
      const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index * 7);
      await client.sendMessage(new File([bytes], 'photo ä.png', { type: 'image/png' }), 'image', 'node');
      const codeOf = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: { readonly code: ErrorCode }) => error.code);
      const refusals = [
        client.sendMessage(new Blob([]), 'folder', 'node'),
        client.sendMessage('a path', 'file', 'node'),
        client.downloadFile('cross_comm/page/nothing.bin'),
        client.downloadFile('other/key'),
        client.downloadFile('cross_comm/page/nothing.bin', { signal: AbortSignal.abort() }),
      ];
      return { refusals: await Promise.all(refusals.map(codeOf)), size: bytes.length };
    }, hub.url);
    expect(refusals).toEqual(['CC_UNSUPPORTED', 'CC_INVALID_CONTENT', 'CC_FILE_NOT_FOUND', 'CC_STORAGE_DENIED', 'CC_ABORTED']);

    const { content, ossKey } = await image;
    expect([content, ossKey]).toEqual(['photo ä.png', expect.stringMatching(/\.png$/)]);
    const path = await node.downloadFileManually(ossKey!, directory);
    expect(await readFile(path)).toEqual(Buffer.from(Uint8Array.from({ length: size }, (_, index) => index * 7)));

    const sent = randomBytes(70_001);
    await writeFile(join(directory, 'sent.bin'), sent);
    await node.sendMessage(join(directory, 'sent.bin'), 'file', 'page');
    await page.waitForFunction(() => (globalThis as unknown as PageState).heard.length === 1);
    const received = await page.evaluate(async () => {
      const { client, heard } = globalThis as unknown as PageState;
      const blob = await client.downloadFile((heard[0] as Message).ossKey!);
      await client.logout();
      return [...new Uint8Array(await blob.arrayBuffer())];
    });
    expect(Buffer.from(received)).toEqual(sent);
  });

  test('keeps its id over a reload, and another tab of the browser has another', async () => {
    const idOf = (where: Page): Promise<string> =>
      where.evaluate(() => new (globalThis as unknown as PageState).sdk.CrossCommClient({}).clientId);
    const id = await idOf(page);
    expect(id).toMatch(/^[0-9a-f]{12}_[0-9a-f]{8}$/);
    await page.reload();
    await page.waitForFunction(() => 'sdk' in globalThis);
    expect(await idOf(page)).toBe(id);
    const tab = await page.context().newPage();
    await tab.goto(page.url());
    await tab.waitForFunction(() => 'sdk' in globalThis);
    const other = await idOf(tab);
    expect(other).not.toBe(id);
    expect(other.slice(0, 12)).toBe(id.slice(0, 12));
  });
});
