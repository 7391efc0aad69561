import 'reflect-metadata';
import type { INestApplicationContext, Provider, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrossCommModule } from '../cross-comm.module.js';
import type { CrossCommOptions } from '../cross-comm.options.js';
import { CrossCommGateway, CrossCommService } from '../gateway/index.js';
import { ClientRegistry } from '../clients/index.js';
import { CrossCommError } from '../protocol/index.js';

/** A hub that runs inside a test. */
export interface TestHub {
  /** `ws://127.0.0.1:<port>` */
  readonly url: string;
  /** `http://127.0.0.1:<port>`, where the embedded file storage answers. */
  readonly httpUrl: string;
  readonly port: number;
  /** Where it keeps its files; removed by `close` unless it was given as an option. */
  readonly dataDir: string;
  readonly app: INestApplicationContext;
  readonly service: CrossCommService;
  readonly registry: ClientRegistry;
  close(): Promise<void>;
}

/** Options of {@link startTestHub}: those of the hub, and providers that may carry listeners. */
export interface TestHubOptions extends CrossCommOptions {
  readonly providers?: readonly (Provider | Type)[];
  /** Whether Nest logs; default false. */
  readonly log?: boolean;
}

/** Starts a hub on a free port of 127.0.0.1 with a data directory of its own. */
export async function startTestHub({ providers = [], log = false, ...options }: TestHubOptions = {}): Promise<TestHub> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'cross-comm-test-')));
  const module = {
    module: class TestHubModule {},
    imports: [CrossCommModule.forRoot({ port: 0, host: '127.0.0.1', ...options, dataDir })],
    providers: [...providers],
  };
  const removeData = async (): Promise<void> => {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  };
  const app = await NestFactory.createApplicationContext(module, { abortOnError: false, ...(log ? {} : { logger: false }) }).catch(
    async (error: unknown) => {
      await removeData();
      throw error;
    },
  );
  const { address } = app.get(CrossCommGateway);
  if (address === undefined) throw new CrossCommError('CC_INTERNAL', 'The test hub does not listen.');
  return {
    url: `${address.isTls ? 'wss' : 'ws'}://127.0.0.1:${address.port}`,
    httpUrl: `${address.isTls ? 'https' : 'http'}://127.0.0.1:${address.port}`,
    port: address.port,
    dataDir,
    app,
    service: app.get(CrossCommService),
    registry: app.get(ClientRegistry),
    close: async () => {
      await app.close();
      await removeData();
    },
  };
}
