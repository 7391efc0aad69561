import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

test('a 200 MiB upload and download keep the memory of server and client together within 100 MiB of idle', async () => {
  const child = fileURLToPath(new URL('./memory.child.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [child, '200']);
  const result = JSON.parse(stdout) as { status: number; received: number; growthMiB: number };
  expect(result).toMatchObject({ status: 200, received: 200 * 1024 * 1024 });
  expect(result.growthMiB).toBeLessThan(100);
}, 60_000);
