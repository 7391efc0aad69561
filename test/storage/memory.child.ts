import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createReadStream, createWriteStream } from 'node:fs';
import { request, get, type IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { startStore } from './store-fixture.js';

/*
 * Moves a large file through the store's HTTP door, one whole PUT and one whole GET, and prints how far the memory of
 * the process (server and client in one) grew. Run by memory.test.ts; by hand: node memory.child.js <MiB>.
 */
const sizeBytes = Number(process.argv[2]) * 1024 * 1024;
const fixture = await startStore({ maxObjectBytes: sizeBytes });
const source = join(fixture.scratch, 'source.bin');
const handle = await open(source, 'w');
await handle.truncate(sizeBytes); // sparse
await handle.close();

let peakBytes = 0;
const idleBytes = process.memoryUsage.rss();
const sampler = setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage.rss())), 10);
const { storage } = fixture.store;
const startedMs = performance.now();

const putPath = await storage.signUrl({ method: 'PUT', key: 'large', expiresSeconds: 600 });
const stored = await new Promise<IncomingMessage>((resolve, reject) => {
  const outgoing = request(`${fixture.url}${putPath}`, { method: 'PUT', headers: { 'Content-Length': String(sizeBytes) } }, resolve);
  pipeline(createReadStream(source), outgoing).catch(reject);
});
stored.resume();
const uploadMs = performance.now() - startedMs;
const getPath = await storage.signUrl({ method: 'GET', key: 'large', expiresSeconds: 600 });
const target = join(fixture.scratch, 'target.bin');
const answer = await new Promise<IncomingMessage>((resolve, reject) => get(`${fixture.url}${getPath}`, resolve).on('error', reject));
await pipeline(answer, createWriteStream(target));
const downloadMs = performance.now() - startedMs - uploadMs;
clearInterval(sampler);

const received = (await stat(target)).size;
await rm(target);
await fixture.close();
process.stdout.write(
  JSON.stringify({ status: stored.statusCode, received, growthMiB: Math.round((peakBytes - idleBytes) / 1024 / 1024), uploadMs: Math.round(uploadMs), downloadMs: Math.round(downloadMs) }),
);
