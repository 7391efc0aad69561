import { expect, test } from '@jest/globals';
import { browserBundle } from './support/browser-bundle.js';

test('the browser bundle holds no Node module and no package, and stays small', async () => {
  const { inputs, imports, gzipBytes } = await browserBundle();
  expect(inputs.filter((input) => input.includes('node_modules') || input.includes('.node.js'))).toEqual([]);
  expect(inputs.some((input) => input.endsWith('sdk/cross-comm-client.js'))).toBe(true);
  expect(imports).toEqual([]);
  expect(gzipBytes).toBeLessThanOrEqual(18_000);
});
