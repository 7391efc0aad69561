import { startTestHub, type TestHubOptions } from '../../src/testing/index.js';

/*
 * A hub in a process of its own, to be killed, frozen and restarted. Options as JSON in the first argument. Tells its
 * parent when it listens and who left; turns its wall clock when told to.
 */

/** What the parent may ask for. */
export interface HubCommand {
  /** Milliseconds by which `Date` goes wrong from now on. */
  readonly turnClockMs: number;
}

/** What the hub tells. */
export type HubReport =
  | { readonly event: 'listening'; readonly port: number; readonly startMs: number }
  | { readonly event: 'left'; readonly clientId: string; readonly reason: string };

function report(what: HubReport): void {
  if (process.connected) process.send?.(what);
}

const trueNow = Date.now.bind(Date);
let turnedMs = 0;
Date.now = () => trueNow() + turnedMs;
process.on('message', ({ turnClockMs }: HubCommand) => (turnedMs = turnClockMs));

const stopped = new Promise((resolve) => process.once('SIGTERM', resolve));
const beganMs = performance.now();
const hub = await startTestHub({ log: true, ...(JSON.parse(process.argv[2] ?? '{}') as TestHubOptions) });
hub.service.clientEvents.subscribe((event) => {
  if (event.type === 'left') report({ event: 'left', clientId: event.clientId, reason: event.reason });
});
report({ event: 'listening', port: hub.port, startMs: performance.now() - beganMs });
await stopped;
await hub.close();
// the channel to the parent would keep the process alive
process.disconnect();
