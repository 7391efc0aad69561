import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { CrossCommClient, Message } from '../../src/sdk/index.js';
import { startTestHub, type TestHub } from '../../src/testing/index.js';
import { browserBundle } from './support/browser-bundle.js';
import { contents, inboxOf, online, until } from './support/clients.js';

/** What the page keeps between two calls of `evaluate`. */
interface PageState {
  readonly sdk: { readonly CrossCommClient: new (options: object) => CrossCommClient };
  client: CrossCommClient;
  heard: unknown[];
  states: string[];
}

const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

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
    hub = await startTestHub({ allowedOrigins: [origin], storage: { driver: 'none' }, shutdownTimeoutMs: 300, closeTimeoutMs: 150 });
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
      const refused = await client.sendMessage('x', 'file').catch((error: { code: string }) => error.code);
      await client.logout();
      return [...states, refused];
    });
    expect(states).toEqual(['connecting', 'online', 'reconnecting', 'online', 'closed', 'CC_UNSUPPORTED']);
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
