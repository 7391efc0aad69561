import { expect } from '@jest/globals';
import { faultScenario } from './scenario.js';
import { pause } from './testbed.js';

faultScenario('frozen client and its return', { quick: { times: 2 }, full: { times: 8 } }, async (bed, { times }) => {
  const hub = await bed.startHub({ heartbeatInterval: 0.5, heartbeatTimeout: 1.5 });
  await bed.traffic();
  const frozen = await bed.clientProcess({ clientId: 'frozen', traffic: { targets: ['c1', 'c2'] } });
  (await bed.producer('p-frozen')).start({ targets: ['frozen'] });
  for (let i = 0; i < times; i++) {
    await pause(bed.random.integer(300, 600));
    bed.fault('freeze');
    frozen.freeze();
    // short: nobody notices; long: the hub has given it up meanwhile
    await pause(i % 2 === 0 ? 3_500 : bed.random.integer(200, 1_000));
    frozen.thaw();
    bed.healed('freeze');
    await pause(800);
  }
  const expired = hub.left.filter(({ clientId, reason }) => clientId === 'frozen' && reason === 'heartbeat_timeout').length;
  expect(expired).toBeGreaterThan(0);
  return { times, expired };
});

faultScenario('hub frozen', { quick: { frozenMs: 6_000 }, full: { frozenMs: 10_000 } }, async (bed, { frozenMs }) => {
  const hub = await bed.startHub({ heartbeatInterval: 0.5, heartbeatTimeout: 2, loginTimeoutMs: 2_000 });
  // clients that are patient enough: whoever leaves now was sent away by the hub
  await bed.traffic({ options: { heartbeatTimeoutMs: 60_000, pingIntervalMs: 5_000 } });
  await pause(500);
  let changes = 0;
  for (const client of bed.clients) client.onStatus(() => changes++);
  bed.fault('hub frozen');
  hub.freeze();
  await pause(frozenMs);
  hub.thaw();
  bed.healed('hub frozen');
  // longer than the time-out: it would have made up its mind
  await pause(4_000);
  expect(hub.left).toEqual([]);
  expect(changes).toBe(0);
  return { 'frozen ms': frozenMs, 'clients expired': hub.left.length };
});
