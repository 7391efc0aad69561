import { CrossCommError, type Permissions } from '../protocol/index.js';

/** What the clients of one id, or of ids with one beginning, may do. */
export interface AccessRule extends Permissions {
  /** An exact client id, or the beginning of ids followed by `*`. */
  readonly clientId: string;
}

const LISTS = ['send', 'join', 'request', 'watch'] as const;

/**
 * Reads permissions as they come from a token or an option; undefined when none are given.
 * @throws CrossCommError `CC_INVALID_OPTION`, naming what cannot be read
 */
export function readPermissions(given: unknown): Permissions | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw problem('they are not an object');
  const permissions = given as Readonly<Record<string, unknown>>;
  // a misspelt name must not leave something unrestricted
  const unknown = Object.keys(permissions).find((name) => name !== 'list' && !(LISTS as readonly string[]).includes(name));
  if (unknown !== undefined) throw problem(`there is no "${unknown.slice(0, 64)}"`);
  for (const name of LISTS) {
    const list = permissions[name];
    if (list !== undefined && !(Array.isArray(list) && list.every((pattern) => typeof pattern === 'string' && pattern !== '')))
      throw problem(`"${name}" is not a list of names`);
  }
  if (permissions['list'] !== undefined && typeof permissions['list'] !== 'boolean') throw problem('"list" is neither true nor false');
  return permissions;
}

/** Checks the rules of `auth.rules`. @throws CrossCommError `CC_INVALID_OPTION` */
export function readRules(given: readonly AccessRule[]): readonly (readonly [clientId: string, permissions: Permissions])[] {
  return given.map((rule) => {
    const { clientId, ...permissions } = rule as Partial<AccessRule>;
    if (typeof clientId !== 'string' || clientId === '') throw new CrossCommError('CC_INVALID_OPTION', 'A rule of auth.rules has no clientId.');
    return [clientId, readPermissions(permissions) as Permissions];
  });
}

function problem(text: string): CrossCommError {
  return new CrossCommError('CC_INVALID_OPTION', `Permissions cannot be read: ${text}.`);
}
