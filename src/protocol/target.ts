import { BROADCAST_ID, GROUP_PREFIX, SERVER_ID, clientIdProblem } from './client-id.js';
import { CrossCommError } from './cross-comm.error.js';

/** The group that a target names, or undefined when it names a client, `"all"` or `"server"`. */
export function groupOf(toClientId: string): string | undefined {
  return toClientId.startsWith(GROUP_PREFIX) ? toClientId.slice(GROUP_PREFIX.length) : undefined;
}

/** Says what is wrong with the name of a group, or undefined. The rules are those of client ids. */
export function groupNameProblem(name: unknown): string | undefined {
  return name === BROADCAST_ID || name === SERVER_ID ? undefined : clientIdProblem(name);
}

/**
 * Returns `name` when it is a valid name of a group.
 * @throws CrossCommError `CC_INVALID_CLIENT_ID` otherwise
 */
export function assertGroupName(name: unknown): string {
  const problem = groupNameProblem(name);
  if (problem) throw new CrossCommError('CC_INVALID_CLIENT_ID', `The name of a group: ${problem}`);
  return name as string;
}

/** Says why nothing can be sent to this target, or undefined: a client id, `"all"`, `"server"` or `group:` and a name. */
export function targetProblem(toClientId: string): string | undefined {
  if (toClientId === BROADCAST_ID || toClientId === SERVER_ID) return undefined;
  const group = groupOf(toClientId);
  return group === undefined ? clientIdProblem(toClientId) : groupNameProblem(group);
}
