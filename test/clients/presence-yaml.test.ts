import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { presenceFromYaml, presenceToYaml } from '../../src/clients/presence-yaml.js';
import type { PresenceRecord } from '../../src/clients/index.js';
import { clientIdProblem } from '../../src/protocol/index.js';
import { readRecording } from '../support/recording.js';
import { ODD_IDS } from './odd-ids.js';

const record: fc.Arbitrary<PresenceRecord> = fc.record({
  status: fc.constantFrom('online', 'offline'),
  lastSeen: fc.integer({ min: 0, max: 4e9 * 1_000 }).map((ms) => ms / 1_000),
});
const id = fc.oneof(fc.constantFrom(...ODD_IDS), fc.string({ unit: 'binary', maxLength: 40 })).filter((text) => clientIdProblem(text) === undefined);

describe('The presence file', () => {
  test('gives back every id and record', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(id, record, { maxKeys: 10 }), async (records) => {
        const entries = new Map(Object.entries(records));
        expect(presenceFromYaml(await presenceToYaml(entries))).toEqual(new Map([...entries]));
      }),
    );
  });

  test('is sorted and holds last_seen before status, as Python writes it', async () => {
    const text = await presenceToYaml([
      ['bob', { status: 'online', lastSeen: 1795220316.875 }],
      ['123', { status: 'offline', lastSeen: 5 }],
    ]);
    const entries = text.split('\n').filter((line) => !line.startsWith('#') && line !== '');
    expect(entries).toEqual([expect.stringMatching(/^['"]123['"]:$/), '  last_seen: 5.0', '  status: offline', 'bob:', '  last_seen: 1795220316.875', '  status: online']);
  });

  test.each(['01_login_heartbeat_logout', '02_broadcast_direct', '14_logout_keep_socket', '18_odd_ids'])('reads what the Python server wrote in %s', (name) => {
    const records = presenceFromYaml(readRecording(name).yaml);
    expect(records.size).toBeGreaterThan(0);
    for (const { lastSeen, status } of records.values()) {
      expect(lastSeen).toBeGreaterThan(1_795_220_000);
      expect(['online', 'offline']).toContain(status);
    }
    if (name === '18_odd_ids') for (const odd of ['', '123', 'true', 'a: b', '- x', '空格 id', 'new\nline']) expect(records.has(odd)).toBe(true);
  });

  test.each([
    ['a list', '- a\n- b\n', 'no mapping'],
    ['plain text', 'hello', 'no mapping'],
    ['nothing', '', ''],
    ['an entry that is text', 'alice: online\n', 'an entry is not a mapping'],
    ['an entry without a status', 'alice:\n  last_seen: 1.0\n', 'no status'],
    ['a status of its own', 'alice:\n  status: away\n', 'no status'],
    ['broken YAML', 'alice: [\n', ''],
    ['an unknown tag', 'alice: !!python/object:os.system x\n', 'tag'],
    ['binary junk', '\u0000\u0001\ufffd', ''],
  ])('of another shape is refused: %s', (_what, text, message) => {
    expect(() => presenceFromYaml(text)).toThrow(message);
  });

  test('takes a last_seen that is no number for 0 and ignores further keys', () => {
    expect(presenceFromYaml('a:\n  last_seen: yesterday\n  status: offline\n  note: kept?\n')).toEqual(new Map([['a', { status: 'offline', lastSeen: 0 }]]));
  });

  test('lets a large registry pause for messages while it is written', async () => {
    const many = Array.from({ length: 20_000 }, (_, n): [string, PresenceRecord] => [`client ${n}`, { status: 'online', lastSeen: n }]);
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    const text = await presenceToYaml(many);
    running = false;
    expect(turns).toBeGreaterThan(20);
    expect(presenceFromYaml(text).size).toBe(20_000);
  });
});
