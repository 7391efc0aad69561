import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { downloadFile, downloadFolder, uploadFile, uploadFolder } from '../../src/storage/index.js';
import { startStore } from './store-fixture.js';

/*
 * Not a test: prints how long 5,000 small files and one large file take with both drivers.
 * node build/test/storage/many-files.bench.js [files] [MiB]
 */
const count = Number(process.argv[2] ?? 5_000);
const largeBytes = Number(process.argv[3] ?? 256) * 1024 * 1024;
const fixture = await startStore();
const folder = join(fixture.scratch, 'folder');
for (let n = 0; n < count; n++) {
  if (n % 100 === 0) await mkdir(join(folder, `d${n / 100}`), { recursive: true });
  await writeFile(join(folder, `d${Math.floor(n / 100)}`, `f${n}.txt`), `content ${n}`.repeat(20));
}
const large = join(fixture.scratch, 'large.bin');
await writeFile(large, Buffer.alloc(largeBytes, 'x'));

async function timed(title: string, work: () => Promise<unknown>): Promise<void> {
  const startedMs = performance.now();
  const rssBefore = process.memoryUsage.rss();
  let peak = rssBefore;
  const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 10);
  await work();
  clearInterval(sampler);
  process.stdout.write(`${title}: ${Math.round(performance.now() - startedMs)} ms, memory +${Math.round((peak - rssBefore) / 1024 / 1024)} MiB\n`);
}

for (const storage of [fixture.store.storage, fixture.driver()]) {
  const prefix = `${storage.driver}/`;
  await timed(`${storage.driver} upload of ${count} files`, () => uploadFolder(storage, { prefix, path: folder }));
  await timed(`${storage.driver} download of ${count} files`, () => downloadFolder(storage, { prefix, directory: join(fixture.scratch, prefix) }));
  await timed(`${storage.driver} upload of ${largeBytes} bytes`, () => uploadFile(storage, { key: `${prefix}large`, path: large }));
  await timed(`${storage.driver} download of ${largeBytes} bytes`, () => downloadFile(storage, { key: `${prefix}large`, targetPath: `${large}.${storage.driver}` }));
}
await fixture.close();
process.exit(0); // the client keeps idle connections open for a while
