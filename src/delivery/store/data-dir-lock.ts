import { createHash } from 'node:crypto';
import { open, realpath, stat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CrossCommError } from '../../protocol/index.js';

/** A data directory that belongs to this process until released, or until the process ends in whatever way. */
export interface DataDirLock {
  release(): Promise<void>;
}

/** Longest socket path that every system takes, in bytes. */
const MAX_SOCKET_PATH = 100;

/** Between two looks at a socket that does not answer: its owner may be about to listen. */
const SECOND_LOOK_MS = 50;

/** Time after which the guard of a process that was killed while it held it does not count any more. */
const GUARD_MS = 5_000;

/** A file system without sockets. */
const NO_SOCKETS: ReadonlySet<string | undefined> = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EINVAL', 'ENOSYS']);

/**
 * Takes a directory for this process: by listening on a Unix socket inside it (Windows: a named pipe), which the system
 * gives up with the process, even when it is killed. Waits up to `waitMs` for another owner to end, so that a new hub
 * can be started while the old one stops.
 * @throws CrossCommError `CC_DATA_DIR_IN_USE`
 */
export async function acquireDataDir(directory: string, waitMs: number): Promise<DataDirLock> {
  const real = await realpath(directory);
  const deadline = performance.now() + waitMs;
  let path = socketPathOf(real);
  for (;;) {
    try {
      return await listen(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const elsewhere = temporaryPathOf(real);
      if (NO_SOCKETS.has(code) && path !== elsewhere) {
        path = elsewhere;
        continue;
      }
      if (code !== 'EADDRINUSE') throw inUse(directory, error as Error);
    }
    if (await isAlive(path)) {
      const left = deadline - performance.now();
      if (left <= 0) throw inUse(directory);
      await endOfOwner(path, left);
    } else {
      const lock = await replaceStale(path);
      if (lock !== undefined) return lock;
    }
  }
}

function inUse(directory: string, cause?: Error): CrossCommError {
  const reason = cause === undefined ? '' : ` (${cause.message})`;
  return new CrossCommError('CC_DATA_DIR_IN_USE', { detail: `${directory} cannot be taken${reason}.`, cause });
}

/** Where the lock of a directory is. */
function socketPathOf(real: string): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\cross-comm-${nameOf(real)}`;
  const path = join(real, 'hub.lock');
  return Buffer.byteLength(path) > MAX_SOCKET_PATH ? temporaryPathOf(real) : path;
}

function temporaryPathOf(real: string): string {
  return process.platform === 'win32' ? socketPathOf(real) : join(tmpdir(), `cross-comm-${nameOf(real)}.lock`);
}

function nameOf(real: string): string {
  return createHash('sha256').update(real).digest('hex').slice(0, 24);
}

async function listen(path: string): Promise<DataDirLock> {
  // those who wait for our end
  const waiting = new Set<Socket>();
  const server: Server = createServer((socket) => {
    waiting.add(socket.unref());
    socket.on('error', () => undefined).on('close', () => waiting.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    // exclusive: the workers of a cluster must not share it
    server.once('error', reject).listen({ path, exclusive: true }, resolve);
  });
  server.unref();
  return {
    release: () =>
      new Promise((resolve) => {
        // Node removes the socket file
        server.close(() => resolve());
        for (const socket of waiting) socket.destroy();
      }),
  };
}

/** Whether somebody listens. The system answers for a process that is busy. */
async function isAlive(path: string): Promise<boolean> {
  const socket = await dial(path);
  socket?.destroy();
  return socket !== undefined;
}

/** @returns undefined when nobody listens */
function dial(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(undefined);
      // too many of us are waiting already
      else if (error.code === 'EAGAIN' || error.code === 'EBUSY') resolve(socket);
      else reject(inUse(path, error));
    });
  });
}

/** Returns when the owner has ended, or a while later for another look. */
async function endOfOwner(path: string, leftMs: number): Promise<void> {
  const socket = await dial(path);
  if (socket === undefined) return;
  const ended = new AbortController();
  socket.on('close', () => ended.abort());
  socket.resume();
  // the end of the connection only cuts the wait short
  await sleep(Math.min(leftMs, 250), undefined, { signal: ended.signal }).catch(() => undefined);
  socket.destroy();
  await sleep(5);
}

/** Takes the place of a socket file that a killed process left; one process at a time, so that none removes a new one. */
async function replaceStale(path: string): Promise<DataDirLock | undefined> {
  const guard = `${path}.guard`;
  try {
    await (await open(guard, 'wx')).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const found = await stat(guard).catch(() => undefined);
    if (found !== undefined && Math.abs(Date.now() - found.mtimeMs) > GUARD_MS) await unlinkIfThere(guard);
    await sleep(SECOND_LOOK_MS);
    return undefined;
  }
  try {
    await sleep(SECOND_LOOK_MS);
    if (await isAlive(path)) return undefined;
    await unlinkIfThere(path);
    return await listen(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  } finally {
    await unlinkIfThere(guard);
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
