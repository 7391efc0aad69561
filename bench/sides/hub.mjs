// @ts-check
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importFromDist } from '../dist.mjs';
import { countingListeners } from './listeners.mjs';
import { serve, serverArgument } from './serve.mjs';

// The hub as users run it: the whole Nest application with every rule on, logging as Nest does by default, presence
// kept on disk. Only what messages do not need is left out: the file storage, and the rates, which a benchmark is there
// to go beyond; counting for them costs the same whether or not they are reached.

const { CrossCommModule, CrossCommGateway, MessageListener } = await importFromDist('index.js');
const { options, listeners } = serverArgument();

const dataDir = mkdtempSync(join(tmpdir(), 'cross-comm-bench-'));
const hub = CrossCommModule.forRoot({
  port: 0,
  host: '127.0.0.1',
  dataDir,
  storage: { driver: 'none' },
  messagesPerSecond: 0,
  bytesPerSecond: 0,
  loginsPerSecond: 0,
  ...options,
  ...JSON.parse(process.env['BENCH_HUB_OPTIONS'] ?? '{}'),
});
const { Listeners, heard } = countingListeners(MessageListener, listeners);

class HubModule {}
Module({ imports: [hub], providers: [Listeners] })(HubModule);

const app = await NestFactory.createApplicationContext(HubModule, { abortOnError: false });
serve(app.get(CrossCommGateway, { strict: false }).address.port, {
  heard,
  beforeExit: () => rmSync(dataDir, { recursive: true, force: true }),
});
