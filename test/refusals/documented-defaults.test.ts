import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { resolveOptions } from '../../src/cross-comm.options.js';
import { projectPath } from '../support/project-path.js';

const FACTORS: Readonly<Record<string, number>> = { KiB: 1_024, MiB: 1_024 ** 2, GiB: 1_024 ** 3, s: 1_000, h: 3_600_000, days: 86_400_000 };

/** Rows of the limits of a document that name an option: what the default is said to be, and the options. */
function rowsOf(file: string): [what: string, defaults: string, options: string[]][] {
  const section = readFileSync(projectPath(file), 'utf8').split(/^## /m).find((text) => text.startsWith('Limits\n')) ?? '';
  return [...section.matchAll(/^\| ([^|]+) \| ([^|]+) \|(.*)\|$/gm)].flatMap(([, what = '', defaults = '', rest = '']) => {
    const options = [...(rest.split('|').at(-1) ?? '').matchAll(/`(?:delivery\.)?(\w+)`/g)].map(([, name = '']) => name);
    return options.length === 0 ? [] : [[what, defaults, options] as [string, string, string[]]];
  });
}

/** The numbers of a text, times as milliseconds. */
function quantitiesIn(text: string): number[] {
  if (text === 'off') return [0];
  return [...text.matchAll(/(\d[\d,]*)(?: (KiB|MiB|GiB|s|h|days)\b)?/g)].map(([, digits = '', unit = '']) => Number(digits.replaceAll(',', '')) * (FACTORS[unit] ?? 1));
}

const { clients, delivery, gateway, security } = resolveOptions({});
const defaults = Object.assign({}, clients, delivery, gateway, security) as unknown as Readonly<Record<string, number>>;

describe.each(['SECURITY.md', 'PROTOCOL.md'])('The limits of %s', (file) => {
  const rows = rowsOf(file);

  test('name their options', () => expect(rows.length).toBeGreaterThan(5));

  test.each(rows)('%s: %s is the default of %j', (_what, text, options) => {
    const said = quantitiesIn(text);
    for (const [n, name] of options.entries()) {
      const inMs = name.endsWith('Seconds') ? (defaults[name] as number) * 1_000 : defaults[name];
      expect([name, said[n]]).toEqual([name, inMs]);
    }
  });
});
