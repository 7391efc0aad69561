import { describe, expect, jest, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PresenceRecord } from '../../src/clients/index.js';
import { PRESENCE_FILE, YamlPresenceStore } from '../../src/clients/yaml.presence-store.js';
import { onCleanUp } from '../support/clean-up.js';
import { openHub, pause, temporaryDirectory, until } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';

type Records = Record<string, PresenceRecord>;

const GENERATION_1: Records = { alice: { status: 'online', lastSeen: 1 }, 'a: b': { status: 'offline', lastSeen: 2.5 } };
const GENERATION_2: Records = { ...GENERATION_1, carol: { status: 'online', lastSeen: 3.25 } };

/** Log lines of the store, which must not reach the test's output. */
function logged(): string[] {
  const lines: string[] = [];
  for (const level of ['warn', 'error'] as const) {
    const spy = jest.spyOn(Logger.prototype, level).mockImplementation((...message: unknown[]) => void lines.push(`${level}: ${message.map(String).join(' ')}`));
    onCleanUp(() => spy.mockRestore());
  }
  return lines;
}

async function write(directory: string, records: Records): Promise<void> {
  const store = new YamlPresenceStore(directory, 0);
  await store.load();
  store.changed(() => Object.entries(records));
  await store.flush();
}

const load = async (directory: string): Promise<Records> => Object.fromEntries(await new YamlPresenceStore(directory, 0).load());
const filesIn = (directory: string): string[] => readdirSync(directory).map((name) => name.replace(/unreadable-\d+$/, 'unreadable')).sort();

describe('The YAML presence store', () => {
  test('gives back what an earlier run wrote', async () => {
    const directory = join(await temporaryDirectory(), 'made', 'by', 'the hub');
    expect(await load(directory)).toEqual({});
    await write(directory, GENERATION_1);
    expect(await load(directory)).toEqual(GENERATION_1);
    expect(statSync(join(directory, PRESENCE_FILE)).mode & 0o777).toBe(0o600);
  });

  test('survives being cut off at every byte: the previous generation is used and the torn file kept aside', async () => {
    const lines = logged();
    const directory = await temporaryDirectory();
    await write(directory, GENERATION_1);
    await write(directory, GENERATION_2);
    const file = join(directory, PRESENCE_FILE);
    const [whole, previous] = [readFileSync(file), readFileSync(`${file}.previous`)];
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(file, whole);
      truncateSync(file, length);
      expect([length, await load(directory)]).toEqual([length, GENERATION_1]);
      const aside = readdirSync(directory).filter((name) => name.includes('.unreadable-'));
      expect(aside).toHaveLength(1);
      expect(statSync(join(directory, aside[0] as string)).size).toBe(length);
      rmSync(join(directory, aside[0] as string));
      expect(readFileSync(`${file}.previous`).equals(previous)).toBe(true);
    }
    expect(lines).toHaveLength(whole.length);
    expect(lines[0]).toContain('The previous generation is used.');
  });

  test('a torn file does not become the previous generation', async () => {
    logged();
    const directory = await temporaryDirectory();
    await write(directory, GENERATION_1);
    await write(directory, GENERATION_2);
    truncateSync(join(directory, PRESENCE_FILE), 70);
    await write(directory, GENERATION_2);
    rmSync(join(directory, PRESENCE_FILE));
    expect(await load(directory)).toEqual(GENERATION_1);
  });

  test.each([
    ['a list', '- a\n'],
    ['a configuration of something else', 'server:\n  port: 80\n'],
    ['bytes', '\u0000\u0001'],
  ])('never stops the start over a foreign file: %s', async (_what, text) => {
    logged();
    const directory = await temporaryDirectory();
    writeFileSync(join(directory, PRESENCE_FILE), text);
    const hub = await openHub({ delivery: { store: 'none' }, dataDir: directory });
    expect(hub.service.listClients().totalCount).toBe(0);
    expect(filesIn(directory)).toEqual([`${PRESENCE_FILE}.unreadable`]);
  });

  test('starts when the file cannot even be read', async () => {
    const lines = logged();
    const directory = await temporaryDirectory();
    mkdirSync(join(directory, PRESENCE_FILE));
    expect(await load(directory)).toEqual({});
    expect(lines.join()).toContain('cannot be read and is left alone');
  });

  test('writes once for 1,000 changes in a row', async () => {
    const directory = await temporaryDirectory();
    const store = new YamlPresenceStore(directory, 30);
    let snapshots = 0;
    for (let n = 0; n < 1_000; n++)
      store.changed(() => {
        snapshots++;
        return Object.entries(GENERATION_1);
      });
    await until(() => filesIn(directory).includes(PRESENCE_FILE), 'the file');
    await store.flush();
    expect(snapshots).toBe(1);
    expect(filesIn(directory)).toEqual([PRESENCE_FILE]);
  });

  test('shows a reader a whole file at every moment', async () => {
    const directory = await temporaryDirectory();
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, n): [string, PresenceRecord] => [`c${n}`, { status: 'online', lastSeen: n }]));
    await write(directory, many);
    const store = new YamlPresenceStore(directory, 0);
    const state = { isWriting: true };
    const writing = (async () => {
      for (let n = 0; n < 30; n++) {
        store.changed(() => Object.entries({ ...many, extra: { status: 'offline', lastSeen: n } as const }));
        await store.flush();
      }
      state.isWriting = false;
    })();
    let reads = 0;
    for (; state.isWriting; reads++) {
      // the gap between two renames shows no file at all, never half of one
      const text = attemptRead(join(directory, PRESENCE_FILE));
      if (text !== undefined) expect(text).toMatch(/\n# end of 40[01] clients\n$/);
      await pause(0);
    }
    await writing;
    expect(reads).toBeGreaterThan(10);
  });

  test('logs a failed write and recovers with the next change, or at the end', async () => {
    const lines = logged();
    const directory = await temporaryDirectory();
    const blocker = join(directory, `${PRESENCE_FILE}.writing`);
    mkdirSync(blocker);
    const store = new YamlPresenceStore(directory, 0);
    store.changed(() => Object.entries(GENERATION_1));
    await store.flush();
    expect(lines).toEqual([expect.stringContaining('Presence could not be written')]);
    rmSync(blocker, { recursive: true });
    await store.flush();
    expect(await load(directory)).toEqual(GENERATION_1);
    store.changed(() => Object.entries(GENERATION_2));
    await store.flush();
    expect(await load(directory)).toEqual(GENERATION_2);
    expect(lines).toHaveLength(1);
  });

  test('goes on after somebody removed its file, or its folder', async () => {
    const lines = logged();
    const directory = join(await temporaryDirectory(), 'data');
    const store = new YamlPresenceStore(directory, 0);
    for (const remove of [join(directory, PRESENCE_FILE), directory]) {
      store.changed(() => Object.entries(GENERATION_1));
      await store.flush();
      rmSync(remove, { recursive: true });
    }
    store.changed(() => Object.entries(GENERATION_2));
    await store.flush();
    expect(await load(directory)).toEqual(GENERATION_2);
    expect(lines).toEqual([]);
  });

  test('remembers the clients of all earlier runs over three starts of a hub', async () => {
    const dataDir = await temporaryDirectory();
    const seen: string[] = [];
    for (const id of ['first', 'second: x', '第三']) {
      const hub = await openHub({ delivery: { store: 'none' }, dataDir });
      const before = hub.service.listClients();
      expect(before.clients.map(({ clientId }) => clientId).sort()).toEqual([...seen].sort());
      expect(before.clients.every(({ status, loginTime, lastHeartbeat }) => status === 'offline' && loginTime === 0 && lastHeartbeat > 1.7e9)).toBe(true);
      await RawClient.old(hub.url, id);
      seen.push(id);
      await hub.close();
    }
    const records = await load(dataDir);
    expect(Object.keys(records).sort()).toEqual([...seen].sort());
    expect(Object.values(records).every(({ status }) => status === 'offline')).toBe(true);
  });

  test('is left out with persistPresence: false', async () => {
    const dataDir = await temporaryDirectory();
    const hub = await openHub({ delivery: { store: 'none' }, dataDir, persistPresence: false });
    await RawClient.old(hub.url, 'alice');
    await hub.close();
    expect(filesIn(dataDir)).toEqual([]);
  });
});

function attemptRead(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // not there at this moment
    return undefined;
  }
}
