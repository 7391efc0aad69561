import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { StoredMail } from '../../../src/delivery/store/index.js';
import { failure, SimulatedFileSystem } from './simulated.file-system.js';
import { openLog, putMail, type OpenStore } from './store-driver.js';

Logger.overrideLogger(false);

const FIRST = 'mail-00000001.log';
const OPTIONS = { segmentBytes: 1_000, cacheBytes: 0 };

const errors: string[] = [];
beforeEach(() => void jest.spyOn(Logger.prototype, 'error').mockImplementation((message: unknown) => void errors.push(String(message))));
afterEach(() => {
  jest.restoreAllMocks();
  errors.length = 0;
});

/** Messages in several segments, none of whose frames is at hand. */
async function filled(): Promise<OpenStore & { disk: SimulatedFileSystem; mails: StoredMail[] }> {
  const disk = new SimulatedFileSystem();
  const open = await openLog(disk, OPTIONS);
  const mails: StoredMail[] = [];
  for (let count = 0; count < 12; count++) {
    mails.push(putMail(open.store));
    await open.store.flush();
  }
  return { ...open, disk, mails };
}

/** Which of the messages could be read; each of those is as it was. */
function readable(mails: readonly StoredMail[], frames: readonly (Buffer | undefined)[]): boolean[] {
  return frames.map((frame, index) => {
    if (frame !== undefined) expect(frame.toString()).toBe(`frame ${mails[index]?.seq} `.repeat(8));
    return frame !== undefined;
  });
}

describe('reading a frame', () => {
  it.each([false, true])('finds that bytes on the disk are others, also after a restart that found them good: %p', async (isRestarted) => {
    const { disk: first, mails: put, store: before } = await filled();
    const disk = isRestarted ? first.afterKill() : first;
    const again = isRestarted ? await openLog(disk, OPTIONS) : undefined;
    const store = again?.store ?? before;
    const mails = again?.opened.mails ?? put;
    const bytes = disk.contents(FIRST);
    bytes.write('X', bytes.indexOf('frame 2 ') + 20);
    disk.replace(FIRST, bytes);
    expect(readable(mails, await store.read(mails))).toEqual(mails.map((_, index) => index !== 1));
    await store.read(mails);
    expect(errors).toEqual([expect.stringMatching(/^CC_STORE_FAILED: mail in .*mail-00000001.log cannot be read .*1 messages/)]);
  });

  it('of a segment that somebody cut off, or that has holes, gives what is left', async () => {
    const { disk, store, mails } = await filled();
    const bytes = disk.contents(FIRST);
    const second = bytes.indexOf('frame 2 ');
    disk.replace(FIRST, bytes.subarray(0, second + 10));
    const left = mails.map((_, index) => index === 0 || !bytes.includes(`frame ${index + 1} `));
    expect(left.filter((is) => !is).length).toBeGreaterThan(1);
    expect(readable(mails, await store.read(mails))).toEqual(left);
    disk.replace(FIRST, Buffer.concat([bytes.subarray(0, second + 10), Buffer.alloc(bytes.length)]));
    expect(readable(mails, await store.read(mails))).toEqual(left);
  });

  it('of a segment that somebody deleted leaves out what was in it', async () => {
    const { disk, store, mails } = await filled();
    const bytes = disk.contents(FIRST);
    disk.delete(FIRST);
    expect(readable(mails, await store.read(mails))).toEqual(mails.map((_, index) => !bytes.includes(`frame ${index + 1} `)));
    expect(errors).toHaveLength(1);
  });

  it('leaves out what the disk cannot read, not its neighbours', async () => {
    const { disk, store, mails } = await filled();
    let reads = 0;
    disk.beforeEach = (operation) => {
      if (operation === 'read' && [1, 3].includes(++reads)) throw failure('EIO');
    };
    expect(readable(mails, await store.read(mails)).filter((is) => !is)).toHaveLength(1);
  });

  it.each([
    ['files are short', 'EMFILE', (disk: SimulatedFileSystem) => (disk.beforeEach = () => { throw failure('EMFILE'); })],
    ['the whole folder is gone', 'There is no mail', (disk: SimulatedFileSystem) => { for (const name of disk.names) disk.delete(name); }],
  ])('fails, for another attempt, when %s', async (_, why, spoil) => {
    const { disk, store, mails } = await filled();
    spoil(disk);
    for (let tries = 0; tries < 3; tries++) await expect(store.read(mails)).rejects.toMatchObject({ code: 'CC_STORE_FAILED' });
    expect(errors).toEqual([expect.stringContaining(why)]);
  });
});
