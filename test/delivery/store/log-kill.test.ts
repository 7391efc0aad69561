import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LogMailStore } from '../../../src/delivery/store/index.js';
import { temporaryDirectory } from '../../support/open-hub.js';
import { openStore, STORE_OPTIONS } from './store-driver.js';

Logger.overrideLogger(false);

const CHILD = fileURLToPath(new URL('log-writer.child.js', import.meta.url));

describe('a process that is killed', () => {
  it('loses nothing that it said to be stored, however often', async () => {
    const directory = join(await temporaryDirectory(), 'mail');
    const stored = new Set<number>();
    const removing = new Set<number>();
    const removed = new Set<number>();
    const sets: Record<string, Set<number>> = { stored, removing, removed };
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, [CHILD, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
      let said = '';
      let known = 0;
      const opened = new Promise<void>((resolve) => {
        child.stdout.on('data', (chunk: Buffer) => {
          said += chunk.toString();
          if (known === 0 && said.includes('open\n')) {
            known = 1;
            resolve();
          }
        });
      });
      await opened;
      await new Promise((resolve) => setTimeout(resolve, 60 + round * 70));
      child.kill('SIGKILL');
      await once(child, 'close');
      // the last line may be cut
      for (const line of said.split('\n').slice(0, -1)) {
        const [what = '', ...seqs] = line.split(' ');
        for (const seq of seqs) {
          if (what === 'stored') expect(stored.has(Number(seq))).toBe(false);
          sets[what]?.add(Number(seq));
        }
      }
      const { store, opened: found } = await openStore(new LogMailStore({ ...STORE_OPTIONS, directory, segmentBytes: 64 * 1024 }));
      const there = new Set(found.mails.map(({ seq }) => seq));
      for (const seq of stored) if (!removing.has(seq)) expect(there.has(seq)).toBe(true);
      for (const seq of removed) expect(there.has(seq)).toBe(false);
      for (const seq of stored) expect(store.seqOf('alice', `id-${seq}`)).toBe(seq);
      const frames = await store.read(found.mails);
      for (const [index, frame] of frames.entries()) expect(frame?.toString()).toContain(`frame ${found.mails[index]?.seq} `);
      await store.close();
    }
    expect(stored.size).toBeGreaterThan(300);
    expect(removed.size).toBeGreaterThan(100);
  });
});
