import { describe, expect, test } from '@jest/globals';
import { resolveOptions } from '../../src/cross-comm.options.js';
import { CrossCommError } from '../../src/index.js';
import { startTestHub } from '../../src/testing/index.js';

function problemOf(options: object): string {
  try {
    resolveOptions(options);
    return 'accepted';
  } catch (error) {
    expect(error).toBeInstanceOf(CrossCommError);
    return (error as Error).message;
  }
}

describe('Options', () => {
  test('all have defaults', () => {
    const { clients, gateway, listeners, storage } = resolveOptions({});
    expect(clients).toMatchObject({ dataDir: './cross-comm-data', heartbeatInterval: 30, heartbeatTimeout: 60, duplicateLogin: 'replace' });
    expect(gateway).toMatchObject({ port: undefined, path: undefined, maxMessageBytes: 1_048_576, allowedOrigins: [] });
    expect(gateway).toMatchObject({ maxBufferedBytes: 4_194_304, softBufferedBytes: 1_048_576, slowReceiver: 'close', slowReceiverTimeoutMs: 10_000 });
    expect(listeners).toMatchObject({ maxConcurrentListeners: 64, maxPendingListenerMessages: 10_000 });
    expect(storage).toMatchObject({ driver: 'embedded', directory: './cross-comm-data/storage' });
  });

  test('go to the folder they belong to, and undefined means the default', () => {
    const { clients, gateway, listeners, storage } = resolveOptions({
      dataDir: '/data',
      heartbeatTimeout: 90,
      port: 9898,
      maxConcurrentListeners: 2,
      storage: { driver: 'none', publicBaseUrl: 'https://hub.example.com' },
      ...({ maxMessageBytes: undefined } as object),
    });
    expect(clients).toMatchObject({ dataDir: '/data', heartbeatTimeout: 90 });
    expect(gateway).toMatchObject({ port: 9898, maxMessageBytes: 1_048_576 });
    expect(listeners.maxConcurrentListeners).toBe(2);
    expect(storage).toMatchObject({ driver: 'none', directory: '/data/storage', publicBaseUrl: 'https://hub.example.com' });
  });

  test.each<[object, RegExp]>([
    [{ prot: 1 }, /There is no option "prot"/],
    [{ constructor: 1 }, /There is no option "constructor"/],
    [{ storage: { drive: 'none' } }, /There is no option "drive"/],
    [{ storage: null }, /storage is not an object/],
    [{ port: 65_536 }, /port must not be greater than 65535/],
    [{ port: -1 }, /port must not be less than 0/],
    [{ port: '9898' }, /port must be an integer/],
    [{ port: null }, /port is null; leave it out/],
    [{ path: 'ws' }, /path must start with "\/"/],
    [{ dataDir: '' }, /dataDir must be longer/],
    [{ duplicateLogin: 'maybe' }, /duplicateLogin must be one of the following values: replace, reject/],
    [{ heartbeatInterval: Number.NaN }, /heartbeatInterval must be a number/],
    [{ heartbeatInterval: 0 }, /heartbeatInterval must not be less than/],
    [{ loginTimeoutMs: 0 }, /loginTimeoutMs must not be less than/],
    [{ maxMessageBytes: 1 }, /maxMessageBytes must not be less than 4096/],
    [{ maxNestingDepth: 5_000 }, /maxNestingDepth must not be greater than 1000/],
    [{ allowedOrigins: 'https://a.example' }, /allowedOrigins must be an array/],
    [{ allowedOrigins: [7] }, /each value in allowedOrigins must be a string/],
    [{ compression: 'yes' }, /compression must be a boolean/],
    [{ maxConcurrentListeners: 0 }, /maxConcurrentListeners must not be less than 1/],
    [{ maxPendingListenerMessages: 1.5 }, /maxPendingListenerMessages must be an integer/],
    [{ storage: { driver: 's3' } }, /driver must be one of the following values: embedded, oss, none/],
    [{ storage: { bucket: 'X' } }, /bucket must match/],
    [{ heartbeatInterval: 60, heartbeatTimeout: 60 }, /heartbeatTimeout must be longer than heartbeatInterval/],
    [{ heartbeatInterval: 61, heartbeatTimeout: 60 }, /heartbeatTimeout must be longer than heartbeatInterval/],
    [{ tlsCertFile: 'cert.pem', tlsKeyFile: 'key.pem' }, /tlsCertFile and tlsKeyFile need an own port/],
    [{ softBufferedBytes: 1_024 }, /softBufferedBytes must not be less than 65536/],
    [{ softBufferedBytes: 200_000, maxBufferedBytes: 100_000 }, /softBufferedBytes must not be more than maxBufferedBytes/],
    [{ slowReceiver: 'wait' }, /slowReceiver must be one of the following values: close, drop_oldest, block_sender/],
    [{ slowReceiverTimeoutMs: 0 }, /slowReceiverTimeoutMs must not be less than 100/],
  ])('%j is refused, naming the option', (options, problem) => {
    expect(problemOf(options)).toMatch(/^CC_INVALID_OPTION: /);
    expect(problemOf(options)).toMatch(problem);
  });

  test('heartbeatInterval and heartbeatTimeout pull each other along when one is given alone', () => {
    expect(resolveOptions({ heartbeatInterval: 100 }).clients).toMatchObject({ heartbeatInterval: 100, heartbeatTimeout: 200 });
    expect(resolveOptions({ heartbeatTimeout: 3 }).clients).toMatchObject({ heartbeatInterval: 1.5, heartbeatTimeout: 3 });
  });

  test('softBufferedBytes goes down with maxBufferedBytes when it is not given', () => {
    expect(resolveOptions({ maxBufferedBytes: 100_000 }).gateway.softBufferedBytes).toBe(100_000);
    expect(resolveOptions({ maxBufferedBytes: 100_000, softBufferedBytes: 70_000 }).gateway.softBufferedBytes).toBe(70_000);
    expect(resolveOptions({ maxBufferedBytes: 8_388_608 }).gateway.softBufferedBytes).toBe(1_048_576);
  });

  test('of several that are wrong, all are named', () => {
    expect(problemOf({ port: -1, compression: 1, storage: { maxParts: 0 } })).toMatch(/port.*compression.*maxParts|port.*maxParts.*compression/);
  });

  test('that are wrong stop the start', async () => {
    await expect(startTestHub({ maxLoginBytes: 1, storage: { driver: 'none' } })).rejects.toMatchObject({ code: 'CC_INVALID_OPTION' });
  });

  test('TLS needs both files, and files that can be read', async () => {
    const storage = { driver: 'none' } as const;
    await expect(startTestHub({ storage, tlsCertFile: '/nowhere/cert.pem' })).rejects.toThrow(/TLS needs both tlsCertFile and tlsKeyFile/);
    await expect(startTestHub({ storage, tlsCertFile: '/nowhere/cert.pem', tlsKeyFile: '/nowhere/key.pem' })).rejects.toThrow(/CC_INVALID_OPTION: The TLS files cannot be used/);
  });
});
