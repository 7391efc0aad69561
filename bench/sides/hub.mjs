// @ts-check
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { serve } from './serve.mjs';

// The hub as users run it: the whole Nest application with every rule on, logging as Nest does by default, presence
// kept on disk. Only what messages do not need is left out, the file storage, and the limits of rate are off.

const dist = resolve(process.env['BENCH_DIST'] ?? join(import.meta.dirname, '../../dist'));
const { CrossCommModule, CrossCommGateway } = await import(pathToFileURL(join(dist, 'index.js')).href);

const dataDir = mkdtempSync(join(tmpdir(), 'cross-comm-bench-'));
const hub = CrossCommModule.forRoot({
  port: 0,
  host: '127.0.0.1',
  dataDir,
  storage: { driver: 'none' },
  messagesPerSecond: 0,
  bytesPerSecond: 0,
  loginsPerSecond: 0,
  ...JSON.parse(process.env['BENCH_HUB_OPTIONS'] ?? '{}'),
});
const app = await NestFactory.createApplicationContext(hub, { abortOnError: false });
serve(app.get(CrossCommGateway).address.port, () => rmSync(dataDir, { recursive: true, force: true }));
