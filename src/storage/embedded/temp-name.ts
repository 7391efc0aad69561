import { randomUUID } from 'node:crypto';

/** A name for a temporary file; it tells which process it belongs to. */
export function newTempName(): string {
  return `${process.pid}-${randomUUID()}.tmp`;
}

/**
 * Whether a temporary file is left from a run that ended: of a process that is gone, or of an earlier one with this
 * process's id. Those of a live process are left alone: two hubs may be started on one directory by mistake.
 */
export function isLeftover(name: string): boolean {
  const pid = Number(/^(\d{1,10})-.*\.tmp$/.exec(name)?.[1]);
  if (!Number.isInteger(pid) || pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
