import { beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { presenceToYaml } from '../../src/clients/presence-yaml.js';
import { clientIdProblem, decodeBase64Leniently, parsePythonJson } from '../../src/protocol/index.js';
import { ODD_IDS } from '../clients/odd-ids.js';
import { temporaryDirectory } from '../support/open-hub.js';
import { PythonProcess, requirePythonModule } from '../support/python-process.js';

async function ask(python: PythonProcess, question: Record<string, unknown>): Promise<unknown> {
  python.tell(question);
  return (await python.event(() => true, 'an answer'))['answer'];
}

describe('The hub reads as Python reads', () => {
  beforeAll(() => requirePythonModule('yaml', 'python3-yaml'));

  test('base64, right and wrong', async () => {
    const python = new PythonProcess('oracle.py');
    const unit = fc.constantFrom('A', 'Q', '/', '=', '=', '*', ' ', '\n', 'é', 'z');
    await fc.assert(
      fc.asyncProperty(fc.string({ unit, maxLength: 12 }), async (text) => {
        const bytes = decodeBase64Leniently(text);
        expect(bytes === undefined ? null : Buffer.from(bytes).toString('hex')).toBe(await ask(python, { what: 'base64', text }));
      }),
      { numRuns: 400 },
    );
  });

  test('JSON, right and wrong, with its own NaN and Infinity', async () => {
    const python = new PythonProcess('oracle.py');
    const piece = fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '"\\ud83d"', '1', '-0.0', '1.0', '-', '1e400', 'NaN', 'Infinity', '-Infinity', 'nan', 'true', ' ', '\n', '"\t"');
    const grown = fc.letrec<{ value: string }>((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, piece, fc.array(tie('value'), { maxLength: 3 }).map((parts) => `[${parts.join(',')}]`), tie('value').map((part) => `{"k": ${part}}`)),
    })).value;
    await fc.assert(
      fc.asyncProperty(fc.oneof(grown, fc.array(piece, { maxLength: 5 }).map((parts) => parts.join(''))), async (text) => {
        const answer = (await ask(python, { what: 'json', text })) as string | null;
        let mine: unknown = 'refused';
        try {
          mine = parsePythonJson(text, 64);
        } catch {
          // compared below
        }
        expect(mine).toStrictEqual(answer === null ? 'refused' : parsePythonJson(answer, 64));
      }),
      { numRuns: 500 },
    );
  });

  test('and PyYAML finds the same ids in the presence file, as text, with times that are floats', async () => {
    const python = new PythonProcess('oracle.py');
    const file = join(await temporaryDirectory(), 'presence.yaml');
    const unit = fc.constantFrom('0', '1', '9', '_', ':', '.', '-', '+', 'e', 'x', 'o', 'n', 'y', ' ', '#', '"', "'", '\\', '\u2028', '\ufeff', '\uffff', '界', '😀', '~', '=', '<');
    const random = fc.sample(fc.string({ unit, minLength: 1, maxLength: 6 }), { numRuns: 3_000, seed: 7 });
    const ids = [...new Set([...ODD_IDS, ...random])].filter((id) => clientIdProblem(id) === undefined);
    const text = await presenceToYaml(ids.map((id, n) => [id, { status: n % 2 === 0 ? 'online' : 'offline', lastSeen: 1_795_220_316 + n / 4 }]));
    writeFileSync(file, text);
    const read = (await ask(python, { what: 'yaml', file })) as [string, string, string][];
    expect(read).not.toBeNull();
    expect(read.map(([id]) => id).sort()).toEqual([...ids].sort());
    expect(new Set(read.map(([, , type]) => type))).toEqual(new Set(['float']));
  });
});
