import { describe, expect, test } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ClientsOptions } from '../../src/clients/index.js';
import { DeliveryOptions } from '../../src/delivery/index.js';
import { GatewayOptions } from '../../src/gateway/index.js';
import { ListenersOptions } from '../../src/listeners/index.js';
import { CLOSE_MEANINGS, CloseCode, ERROR_CODES, type ErrorCode } from '../../src/protocol/index.js';
import { AuthOptions, JwtOptions, Refusals, SecurityOptions } from '../../src/security/index.js';
import { StorageOptions } from '../../src/storage/index.js';
import { projectPath } from '../support/project-path.js';
import { CLOSE_ROWS } from './close-rows.js';
import { ERROR_ROWS } from './error-rows.js';
import type { ErrorRows } from './stage.js';
import { UPGRADE_ROWS } from './upgrade-rows.js';

/** Codes that no hub tells a client in a frame or by closing, and the test that shows where they come from. */
const TOLD_ELSEWHERE: Readonly<Partial<Record<ErrorCode, string>>> = {
  CC_DELIVERY_UNKNOWN: 'delivery/outcomes.test.ts',
  CC_NO_HANDLER: 'sdk/requests.test.ts',
  CC_NOT_CONNECTED: 'sdk/connection.test.ts',
  CC_CONNECT_FAILED: 'sdk/connection.test.ts',
  CC_QUEUE_FULL: 'sdk/sending.test.ts',
  CC_CLOSED: 'sdk/connection.test.ts',
  CC_ABORTED: 'sdk/requests.test.ts',
  CC_CHECKSUM_MISMATCH: 'storage/file-transfer.test.ts',
  CC_STORAGE_FAILED: 'storage/file-transfer.test.ts',
  CC_STORAGE_MISSING: 'storage/missing-driver.test.ts',
  CC_DATA_DIR_IN_USE: 'delivery/store/data-dir-lock.test.ts',
  CC_INVALID_OPTION: 'module/options.test.ts',
  CC_INVALID_LISTENER: 'listeners/listener-refusals.test.ts',
  CC_ATTACH_FAILED: 'module/registration.test.ts',
};

const errorRows = Object.values(ERROR_ROWS as ErrorRows).flat();
const closeRows = Object.values(CLOSE_ROWS).flat();

const sourceOf = (file: string): string => readFileSync(projectPath('test', file), 'utf8');

/** All tests, those excepted that give every option a wrong value. */
function* testSources(): Generator<string> {
  for (const entry of readdirSync(projectPath('test'), { recursive: true, withFileTypes: true }))
    if (entry.isFile() && entry.name.endsWith('.ts') && entry.name !== 'options.test.ts') yield readFileSync(join(entry.parentPath, entry.name), 'utf8');
}

describe('The tables of refusals', () => {
  test('hold every error code: in a frame, in a login, by a close code, or shown elsewhere', () => {
    const told = new Set<string>([
      ...Object.keys(ERROR_ROWS),
      ...closeRows.flatMap((row) => row.told?.code ?? []),
      ...Object.values(CLOSE_MEANINGS).map(({ error }) => error),
      ...Object.keys(TOLD_ELSEWHERE),
    ]);
    expect(Object.keys(ERROR_CODES).filter((code) => !told.has(code))).toEqual([]);
    expect(Object.keys(TOLD_ELSEWHERE).filter((code) => code in ERROR_ROWS)).toEqual([]);
    for (const [code, file] of Object.entries(TOLD_ELSEWHERE)) expect([code, sourceOf(file).includes(code)]).toEqual([code, true]);
  });

  test('hold every close code, with at least one way to it', () => {
    expect(Object.keys(CLOSE_ROWS).sort()).toEqual(Object.keys(CloseCode).sort());
    for (const ways of Object.values(CLOSE_ROWS)) expect(ways.length).toBeGreaterThan(0);
  });

  test('count every kind of refusal', () => {
    const counted = new Set<string>([...errorRows.flatMap((row) => row?.counted ?? []), ...closeRows.flatMap((row) => Object.keys(row.counted ?? {})), ...Object.keys(UPGRADE_ROWS)]);
    const elsewhere = { tls: 'refusals/upgrades.test.ts' };
    expect(Object.keys(new Refusals().counts).filter((kind) => !counted.has(kind)).sort()).toEqual(Object.keys(elsewhere));
    for (const [kind, file] of Object.entries(elsewhere)) expect([kind, sourceOf(file).includes(`${kind}:`)]).toEqual([kind, true]);
  });
});

test('Every option of the hub is set by some test', () => {
  const all = [...testSources()].join('\n');
  const classes = [AuthOptions, ClientsOptions, DeliveryOptions, GatewayOptions, JwtOptions, ListenersOptions, SecurityOptions, StorageOptions];
  const names = classes.flatMap((options) => Object.keys(new options()));
  expect(names.length).toBeGreaterThan(80);
  // as a member of an object, or handed on by its name
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b['"]?\\s*(?::|,|\\}| = )`).test(all))).toEqual([]);
});
