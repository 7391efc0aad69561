import { describe, expect, test } from '@jest/globals';
import { Inject, Injectable, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import {
  ClientRegistry,
  CROSS_COMM_OPTIONS,
  CrossCommGateway,
  CrossCommModule,
  CrossCommService,
  FileStorage,
  PresenceStore,
  type CrossCommOptions,
  type CrossCommOptionsFactory,
  type PresenceRecord,
} from '../../src/index.js';
import { NoFileStorage } from '../../src/storage/none.file-storage.js';
import { RawClient } from './raw-client.js';

const OPTIONS: CrossCommOptions = { port: 0, host: '127.0.0.1', persistPresence: false, storage: { driver: 'none' } };

@Injectable()
class Settings implements CrossCommOptionsFactory {
  createCrossCommOptions(): CrossCommOptions {
    return { ...OPTIONS, path: '/from-settings' };
  }
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

@Injectable()
class AsyncSettings implements CrossCommOptionsFactory {
  constructor(@Inject('PATH') private readonly path: string) {}

  createCrossCommOptions(): Promise<CrossCommOptions> {
    return Promise.resolve({ ...OPTIONS, path: this.path });
  }
}

@Module({ providers: [{ provide: 'PATH', useValue: '/from-class' }], exports: ['PATH'] })
class PathModule {}

/** Starts, logs in at the path, and returns what the service then tells. */
async function onlineAt(module: DynamicModule, path = '/'): Promise<string[]> {
  class RootModule {}
  const app = await NestFactory.createApplicationContext({ module: RootModule, imports: [module] }, { logger: false, abortOnError: false });
  try {
    const client = await RawClient.login(`ws://127.0.0.1:${app.get(CrossCommGateway).address?.port}${path}`, 'alice');
    const online = app.get(CrossCommService).getOnlineClients();
    await client.close();
    return online;
  } finally {
    await app.close();
  }
}

describe('CrossCommModule', () => {
  test('is registered by forRoot', async () => {
    expect(await onlineAt(CrossCommModule.forRoot(OPTIONS))).toEqual(['alice']);
  });

  test('is registered by forRootAsync with useFactory and inject', async () => {
    const module = CrossCommModule.forRootAsync({
      imports: [SettingsModule],
      inject: [Settings],
      useFactory: async (settings: Settings) => settings.createCrossCommOptions(),
    });
    expect(await onlineAt(module, '/from-settings')).toEqual(['alice']);
  });

  test('is registered by forRootAsync with useClass', async () => {
    expect(await onlineAt(CrossCommModule.forRootAsync({ imports: [PathModule], useClass: AsyncSettings }), '/from-class')).toEqual(['alice']);
  });

  test('is registered by forRootAsync with useExisting', async () => {
    expect(await onlineAt(CrossCommModule.forRootAsync({ imports: [SettingsModule], useExisting: Settings }), '/from-settings')).toEqual(['alice']);
  });

  test.each([
    ['forRootAsync', CrossCommModule.forRootAsync({ useFactory: () => ({ ...OPTIONS, pot: 1 }) as CrossCommOptions })],
    ['forRoot', CrossCommModule.forRoot({ ...OPTIONS, ...{ pot: 1 } })],
  ])('refuses wrong options of %s, naming them', async (_method, module) => {
    await expect(onlineAt(module)).rejects.toThrow(/CC_INVALID_OPTION: There is no option "pot"/);
  });

  test('says what to do when there is neither a port nor an HTTP server', async () => {
    await expect(onlineAt(CrossCommModule.forRoot({ persistPresence: false, storage: { driver: 'none' } }))).rejects.toThrow(/CC_ATTACH_FAILED: .*CrossCommModule\.forRoot\(\{ port: 9898 \}\)/);
  });

  test('says which port is taken', async () => {
    const app = await NestFactory.createApplicationContext(CrossCommModule.forRoot(OPTIONS), { logger: false });
    const port = app.get(CrossCommGateway).address?.port as number;
    try {
      await expect(onlineAt(CrossCommModule.forRoot({ ...OPTIONS, port }))).rejects.toThrow(`127.0.0.1:${port} cannot be listened on (EADDRINUSE)`);
    } finally {
      await app.close();
    }
  });

  test('is global with isGlobal, and otherwise only where it is imported', async () => {
    @Injectable()
    class Feature {
      constructor(readonly service: CrossCommService) {}
    }
    @Module({ providers: [Feature] })
    class FeatureModule {}
    const build = (isGlobal: boolean) => Test.createTestingModule({ imports: [CrossCommModule.forRoot({ ...OPTIONS, isGlobal }), FeatureModule] }).compile();
    const app = await build(true);
    expect(app.get(Feature, { strict: false }).service).toBe(app.get(CrossCommService, { strict: false }));
    await app.close();
    await expect(build(false)).rejects.toThrow(/can't resolve dependencies of the Feature/);
  });

  test('exports what applications inject', async () => {
    @Injectable()
    class Feature {
      constructor(
        readonly service: CrossCommService,
        readonly gateway: CrossCommGateway,
        readonly registry: ClientRegistry,
        readonly storage: FileStorage,
      ) {}
    }
    const app = await Test.createTestingModule({ imports: [CrossCommModule.forRoot(OPTIONS)], providers: [Feature] }).compile();
    const { service, gateway, registry, storage } = app.get(Feature);
    expect([service, gateway, registry].map(({ constructor }) => constructor)).toEqual([CrossCommService, CrossCommGateway, ClientRegistry]);
    expect(storage).toBeInstanceOf(FileStorage);
    await app.close();
  });
});

describe('In a test, overrideProvider', () => {
  test('replaces the file storage', async () => {
    class FakeStorage extends NoFileStorage {
      override readonly driver = 'none';
      readonly isFake = true;
    }
    const fake = new FakeStorage();
    const app = await Test.createTestingModule({ imports: [CrossCommModule.forRoot({ ...OPTIONS, storage: { driver: 'oss' } })] })
      .overrideProvider(FileStorage)
      .useValue(fake)
      .compile();
    expect(app.get(FileStorage, { strict: false })).toBe(fake);
    await app.close();
  });

  test('replaces the presence store', async () => {
    class MemoryPresence extends PresenceStore {
      last: () => Iterable<readonly [string, PresenceRecord]> = () => [];
      flushed = 0;

      override load(): Promise<ReadonlyMap<string, PresenceRecord>> {
        return Promise.resolve(new Map([['earlier', { status: 'online', lastSeen: 12.5 }]]));
      }

      override changed(snapshot: () => Iterable<readonly [string, PresenceRecord]>): void {
        this.last = snapshot;
      }

      override flush(): Promise<void> {
        this.flushed++;
        return Promise.resolve();
      }
    }
    const store = new MemoryPresence();
    const app = await Test.createTestingModule({ imports: [CrossCommModule.forRoot(OPTIONS)] })
      .overrideProvider(PresenceStore)
      .useValue(store)
      .compile();
    app.useLogger(false);
    await app.init();
    const client = await RawClient.login(`ws://127.0.0.1:${app.get(CrossCommGateway, { strict: false }).address?.port}`, 'alice');
    const { clients, totalCount } = app.get(CrossCommService, { strict: false }).listClients();
    expect(totalCount).toBe(2);
    expect(clients.map(({ clientId, status }) => [clientId, status])).toEqual([['alice', 'online'], ['earlier', 'offline']]);
    expect(clients[1]).toMatchObject({ lastHeartbeat: 12.5, loginTime: 0 });
    await client.close();
    await app.close();
    expect(Object.fromEntries([...store.last()].map(([id, { status }]) => [id, status]))).toEqual({ alice: 'offline', earlier: 'offline' });
    expect(store.flushed).toBeGreaterThan(0);
  });

  test('replaces the options', async () => {
    const app = await Test.createTestingModule({ imports: [CrossCommModule.forRoot({ port: 9898 })] })
      .overrideProvider(CROSS_COMM_OPTIONS)
      .useValue(OPTIONS)
      .compile();
    app.useLogger(false);
    await app.init();
    expect(app.get(CrossCommGateway, { strict: false }).address?.port).not.toBe(9898);
    await app.close();
  });
});
