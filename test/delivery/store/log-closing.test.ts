import { expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { SimulatedFileSystem } from './simulated.file-system.js';
import { openLog, putMail } from './store-driver.js';

Logger.overrideLogger(false);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** How often something asks for another turn of the event loop within a moment. */
async function turnsAskedFor(): Promise<number> {
  await pause(40);
  const asked = jest.spyOn(globalThis, 'setImmediate');
  await pause(40);
  const { length } = asked.mock.calls;
  asked.mockRestore();
  return length;
}

it('A store that was closed as a segment began has nothing left to do', async () => {
  const { store } = await openLog(new SimulatedFileSystem(), { segmentBytes: 300 });
  putMail(store, { frame: Buffer.alloc(400) });
  await store.flush();
  // the first commit of a segment records the life of the store behind itself
  putMail(store);
  await store.close();
  expect(await turnsAskedFor()).toBe(0);
});

it('A store that was closed on a full disk has nothing left to do', async () => {
  const disk = new SimulatedFileSystem();
  const { store } = await openLog(disk, { segmentBytes: 300 });
  const mail = putMail(store, { frame: Buffer.alloc(400) });
  await store.flush();
  putMail(store);
  await store.flush();
  await pause(5);
  disk.capacityBytes = disk.usedBytes;
  store.remove('bob', [mail.seq]);
  await expect(store.close()).rejects.toMatchObject({ code: 'CC_STORE_FULL' });
  expect(await turnsAskedFor()).toBe(0);
});
