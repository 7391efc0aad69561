import { afterEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { startTestHub, type TestHub } from '../../src/testing/index.js';
import { CommMsgType, ERROR_CODES } from '../../src/protocol/index.js';
import { CLOSE_MEANINGS } from '../../src/protocol/close-code.js';

const document = readFileSync(join(process.cwd(), 'PROTOCOL.md'), 'utf8');
const dialogues = [...document.matchAll(/\*\*(\d+\. [^*]+)\*\*\n```dialogue\n([^`]+)```/g)].map(
  ([, title = '', lines = '']) => [title, lines.trim().split('\n')] as const,
);

let hub: TestHub | undefined;
const sockets = new Map<string, DialogueSocket>();
afterEach(async () => {
  for (const { socket } of sockets.values()) socket.terminate();
  sockets.clear();
  await hub?.close();
  hub = undefined;
});

describe('PROTOCOL.md', () => {
  test('has dialogues', () => expect(dialogues.length).toBeGreaterThanOrEqual(9));

  test.each(dialogues)('dialogue %s happens as written', async (_, lines) => {
    hub = await startTestHub();
    for (const line of lines) {
      const [, connection = '', arrow = '', said = ''] = /^(\d) ([→←]) (.+)$/.exec(line) ?? [];
      const socket = sockets.get(connection) ?? (await DialogueSocket.open(hub.url));
      sockets.set(connection, socket);
      if (said === 'close') socket.leave();
      else if (arrow === '→') socket.say(JSON.parse(said) as Record<string, unknown>);
      else expectLike(await socket.hear(), said.startsWith('close') ? said : (JSON.parse(said) as unknown), line);
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
    for (const socket of sockets.values()) expect(socket.unheard).toEqual([]);
  });

  test('names every message type, close code and the errors of misuse that the code has', () => {
    for (const type of Object.values(CommMsgType)) expect(document).toContain(`\`${type}\``);
    for (const code of Object.keys(CLOSE_MEANINGS)) expect(document).toContain(`| ${code} |`);
    for (const [code] of document.matchAll(/CC_[A-Z][A-Z_]+/g)) expect(Object.keys(ERROR_CODES)).toContain(code);
  });
});

class DialogueSocket {
  readonly unheard: unknown[] = [];
  #waiting: ((heard: unknown) => void) | undefined;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => this.#heard(JSON.parse(data.toString())));
    socket.on('close', (code) => this.#heard(`close ${code}`));
  }

  static async open(url: string): Promise<DialogueSocket> {
    const socket = new WebSocket(url);
    const opened = new DialogueSocket(socket);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return opened;
  }

  say(keys: Record<string, unknown>): void {
    this.socket.send(JSON.stringify({ msg_id: 'm', to_client_id: 'server', timestamp: 1.5, oss_key: null, ...keys }));
  }

  /** Closes the socket; what the hub answers is of no interest. */
  leave(): void {
    this.socket.removeAllListeners('close').close();
  }

  hear(): Promise<unknown> {
    if (this.unheard.length > 0) return Promise.resolve(this.unheard.shift());
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  #heard(what: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.unheard.push(what);
    else waiting(what);
  }
}

/** Top-level keys that are not shown are not compared; inside content everything is, except "…". */
function expectLike(heard: unknown, shown: unknown, line: string): void {
  const wildcards = (value: unknown): unknown => {
    if (value === '…') return expect.anything();
    if (Array.isArray(value)) return value.map(wildcards);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, wildcards(inner)]));
  };
  const expected = typeof shown === 'string' ? shown : expect.objectContaining(wildcards(shown) as Record<string, unknown>);
  expect({ line, heard }).toEqual({ line, heard: expected });
}
