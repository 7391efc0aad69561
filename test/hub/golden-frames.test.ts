import '../support/clean-up.js';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestHubOptions } from '../../src/testing/index.js';
import { replay } from '../support/golden-replay.js';
import { openHub, temporaryDirectory } from '../support/open-hub.js';
import { RawSocket } from '../support/raw-socket.js';
import { readRecording, type RecordedEvent } from '../support/recording.js';
import { DEVIATIONS, YAML_DEVIATIONS } from './golden-deviations.js';

/** What a recording needs of its hub, and how fast it may run. */
const SETTINGS: Readonly<Record<string, { readonly hub?: TestHubOptions; readonly pace?: number; readonly presence?: string }>> = {
  '13_heartbeat_timeout': { hub: { heartbeatInterval: 0.25, heartbeatTimeout: 0.5 }, pace: 0.25 },
  '19_restart_yaml': { presence: 'old_client:\n  last_seen: 1640995200.123\n  note: kept?\n  status: online\n' },
};

/** Connections 2 to 4 are plain HTTP and other upgrades, compared apart below. */
function withoutOtherHandshakes(name: string, events: readonly RecordedEvent[]): readonly RecordedEvent[] {
  return name === '17_handshake' ? events.filter(({ conn }) => conn === 1) : events;
}

describe('The hub answers the recorded Python dialogues as the Python server did', () => {
  test.each([
    '01_login_heartbeat_logout',
    '02_broadcast_direct',
    '03_files',
    '04_list_clients',
    '05_same_id',
    '06_offline_unknown',
    '07_bad_input',
    '09_before_login',
    '12_binary_fragmented',
    '13_heartbeat_timeout',
    '14_logout_keep_socket',
    '17_handshake',
    '18_odd_ids',
    '19_restart_yaml',
    '20_listener_semantics',
  ])('%s', async (name) => {
    const { hub: options, pace = 0, presence } = SETTINGS[name] ?? {};
    const dataDir = await temporaryDirectory();
    const yamlFile = join(dataDir, 'cross_comm_clients.yaml');
    if (presence !== undefined) writeFileSync(yamlFile, presence);
    const hub = await openHub({ ...options, dataDir });
    const recording = readRecording(name);
    const events = withoutOtherHandshakes(name, recording.events);
    await replay(hub, { ...recording, events }, { deviations: DEVIATIONS[name] ?? [], pace });
    await hub.close();
    expect(shapeOf(readFileSync(yamlFile, 'utf8'))).toEqual(expectedShape(name, recording.yaml));
  });

  test('every named exception points at lines that exist and says why', () => {
    for (const [name, deviations] of Object.entries(DEVIATIONS)) {
      const lines = new Set(readRecording(name).events.map(({ line }) => line));
      for (const { lines: named, reason } of deviations) {
        expect(reason.length).toBeGreaterThan(20);
        for (const line of named) expect(lines).toContain(line);
      }
    }
  });
});

describe('17_handshake, what is no client', () => {
  const recorded = readRecording('17_handshake').events;
  const requestOf = (conn: number): readonly string[] => recorded.find((event) => event.conn === conn && event.dir === 'c2s')?.lines ?? [];
  const statusOf = (conn: number): string => recorded.find((event) => event.conn === conn && event.dir === 's2c')?.lines?.[0] ?? '';

  test('exception: an upgrade with an Origin that is not listed is refused with 403, where the Python server took any', async () => {
    const { port } = await openHub();
    const { head } = await RawSocket.request(port, requestOf(2));
    expect(statusOf(2)).toBe('HTTP/1.1 101 Switching Protocols');
    expect(head).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
  });

  test('any path is taken and no sub-protocol is picked once the Origin is listed', async () => {
    const { port } = await openHub({ allowedOrigins: ['http://evil.example'] });
    const { head } = await RawSocket.request(port, requestOf(2));
    expect(head.split('\r\n')[0]).toBe(statusOf(2));
    expect(head).not.toMatch(/sec-websocket-protocol/i);
  });

  test.each([
    ['a plain GET', 3],
    ['a POST', 4],
  ])('%s gets the recorded status', async (_what, conn) => {
    const { port } = await openHub();
    const { head } = await RawSocket.request(port, requestOf(conn));
    expect(head.split('\r\n')[0]).toBe(statusOf(conn));
  });
});

/** Client ids with their status, and whether the time is a number: what tools read out of the file. */
function shapeOf(yaml: string): Record<string, unknown> {
  const document = load(yaml, { json: true }) as Record<string, { last_seen: unknown; status: unknown }>;
  const entries = Object.entries(document).map(([id, { last_seen, status }]) => [id, { last_seen: typeof last_seen, status }]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function expectedShape(name: string, yaml: string): Record<string, unknown> {
  const shape = shapeOf(yaml);
  for (const [id, [status]] of Object.entries(YAML_DEVIATIONS[name] ?? {})) {
    if (status === undefined) delete shape[id];
    else shape[id] = { last_seen: 'number', status };
  }
  return shape;
}
