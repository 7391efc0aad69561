import { describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { acquireDataDir, LogMailStore } from '../../../src/delivery/store/index.js';
import { onCleanUp } from '../../support/clean-up.js';
import { temporaryDirectory } from '../../support/open-hub.js';
import { openStore, STORE_OPTIONS } from './store-driver.js';

const CHILD = fileURLToPath(new URL('lock.child.js', import.meta.url));

interface Holder {
  readonly child: ChildProcessWithoutNullStreams;
  /** First line that it says. */
  readonly said: Promise<string>;
}

function startHolder(directory: string, waitMs = 0, busyMs = 0): Holder {
  const child = spawn(process.execPath, [CHILD, directory, String(waitMs), String(busyMs)]);
  onCleanUp(() => void child.kill('SIGKILL'));
  const said = once(child.stdout, 'data').then(([chunk]) => (chunk as Buffer).toString().trim());
  return { child, said };
}

describe('a data directory', () => {
  it('belongs to one process at a time, and is free when that is killed', async () => {
    const directory = await temporaryDirectory();
    const first = startHolder(directory, 0, 300);
    expect(await first.said).toBe('taken');
    // also while its owner is busy
    await expect(acquireDataDir(directory, 0)).rejects.toMatchObject({ code: 'CC_DATA_DIR_IN_USE' });
    expect(await startHolder(directory, 100).said).toBe('CC_DATA_DIR_IN_USE');
    first.child.kill('SIGKILL');
    await once(first.child, 'close');
    const lock = await acquireDataDir(directory, 0).catch(() => acquireDataDir(directory, 1_000));
    await expect(acquireDataDir(directory, 0)).rejects.toMatchObject({ code: 'CC_DATA_DIR_IN_USE' });
    await lock.release();
    await (await acquireDataDir(directory, 0)).release();
  });

  it('goes to the one that waits when its owner ends', async () => {
    const directory = await temporaryDirectory();
    const first = startHolder(directory);
    expect(await first.said).toBe('taken');
    const waiting = acquireDataDir(directory, 10_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    first.child.stdin.write('end\n');
    await (await waiting).release();
  });

  it('goes to exactly one of many that start over a socket that was left behind', async () => {
    const directory = await temporaryDirectory();
    const killed = startHolder(directory);
    await killed.said;
    killed.child.kill('SIGKILL');
    await once(killed.child, 'close');
    const said = await Promise.all(Array.from({ length: 5 }, () => startHolder(directory, 700).said));
    expect(said.filter((line) => line === 'taken')).toHaveLength(1);
    expect(said.filter((line) => line === 'CC_DATA_DIR_IN_USE')).toHaveLength(4);
  });

  it('may have a path longer than a socket can have', async () => {
    const directory = join(await temporaryDirectory(), 'x'.repeat(120));
    mkdirSync(directory);
    const lock = await acquireDataDir(directory, 0);
    await expect(acquireDataDir(directory, 0)).rejects.toMatchObject({ code: 'CC_DATA_DIR_IN_USE' });
    await lock.release();
    await (await acquireDataDir(directory, 0)).release();
  });

  it('is taken by the store while it is open', async () => {
    const directory = join(await temporaryDirectory(), 'mail');
    const create = () => new LogMailStore({ ...STORE_OPTIONS, directory });
    const { store } = await openStore(create());
    await expect(openStore(create())).rejects.toMatchObject({ code: 'CC_DATA_DIR_IN_USE' });
    await store.close();
    const second = await openStore(create());
    await second.store.close();
  });
});
