import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OSS from 'ali-oss';
import { EmbeddedStore, OssFileStorage, type StorageOptions } from '../../src/storage/index.js';

/** An embedded store behind a plain HTTP server on a free port, in a directory of its own. */
export interface StoreFixture {
  readonly store: EmbeddedStore;
  readonly server: Server;
  readonly url: string;
  readonly bucket: string;
  /** A scratch directory that is removed in the end. */
  readonly scratch: string;
  readonly directory: string;
  readonly errors: unknown[];
  /** Open client connections. */
  readonly sockets: Set<Socket>;
  /** Called for each request before the store sees it. */
  onRequest: ((method: string, url: string, socket: Socket) => void) | undefined;
  oss(options?: Partial<OSS.Options>): OSS;
  driver(): OssFileStorage;
  close(): Promise<void>;
}

export async function startStore(options: Partial<StorageOptions> = {}): Promise<StoreFixture> {
  const scratch = await mkdtemp(join(tmpdir(), 'cross-comm-storage-'));
  const directory = join(scratch, 'store');
  const errors: unknown[] = [];
  const store = await EmbeddedStore.open({ options: { directory, ...options }, onError: (error) => errors.push(error) });
  const sockets = new Set<Socket>();
  const server = createServer((req, res) => {
    fixture.onRequest?.(req.method ?? '', req.url ?? '', req.socket);
    if (store.handler.handle(req, res)) return;
    res.writeHead(418).end('not for the store');
  });
  store.handler.allowLongRequests(server);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bucket = options.bucket ?? 'cross-comm';
  const { accessKeyId, accessKeySecret } = store.credentials;
  const fixture: StoreFixture = {
    store,
    server,
    url,
    bucket,
    scratch,
    directory,
    errors,
    sockets,
    onRequest: undefined,
    oss: (extra = {}) => new OSS({ endpoint: url, bucket, accessKeyId, accessKeySecret, ...extra }),
    driver: () => new OssFileStorage({ endpoint: url, bucket, accessKeyId, accessKeySecret }),
    close: async () => {
      store.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(scratch, { recursive: true, force: true });
    },
  };
  return fixture;
}
