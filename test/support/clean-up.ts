import { afterEach } from '@jest/globals';

const undo: (() => unknown)[] = [];

/** Runs `action` after the current test, the latest first, whether or not the test passes. */
export function onCleanUp(action: () => unknown): void {
  undo.push(action);
}

afterEach(async () => {
  for (const action of undo.splice(0).toReversed()) await action();
});
