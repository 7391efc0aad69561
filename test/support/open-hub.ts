import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrossCommGateway } from '../../src/gateway/index.js';
import { startTestHub, type TestHub, type TestHubOptions } from '../../src/testing/index.js';
import { onCleanUp } from './clean-up.js';

/** A hub without file storage that ends with the test; its shutdown waits for nobody for long. */
export async function openHub(options: TestHubOptions = {}): Promise<TestHub> {
  const hub = await startTestHub({ storage: { driver: 'none' }, shutdownTimeoutMs: 300, closeTimeoutMs: 150, ...options });
  onCleanUp(() => hub.close());
  return hub;
}

/** Options of a hub that lets clients send as fast as they can. */
export const UNLIMITED = { messagesPerSecond: 0, bytesPerSecond: 0 } as const;

/** A directory that is removed after the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cross-comm-test-'));
  onCleanUp(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Waits until `condition` holds, by looking often. */
export async function until(condition: () => boolean, what: string, withinMs = 5_000): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Waits until the hub holds exactly this many sockets. */
export function untilConnections(hub: TestHub, count: number): Promise<void> {
  const gateway = hub.app.get(CrossCommGateway);
  return until(() => gateway.connectionCount === count, `${count} connections`);
}

/** A promise that resolves after `ms` milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
