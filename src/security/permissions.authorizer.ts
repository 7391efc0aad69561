import { SERVER_ID, type Permissions } from '../protocol/index.js';
import { readRules, type AccessRule } from './access-rule.js';
import { Authorizer, type AuthorizedClient } from './authorizer.js';
import { covers } from './name-patterns.js';

/** Actions of the hub itself; those that need a right check it on their own. */
const ACTION_OF_HUB = /^(?:ping$|(?:auth|files|groups|presence)\.)/;

/** Ids whose rule is remembered at most. */
const MAX_REMEMBERED = 10_000;

/**
 * The default: what the permissions of the login and the first rule for its client id both cover. Without either
 * everything is allowed.
 */
export class PermissionsAuthorizer extends Authorizer {
  readonly #rules: readonly (readonly [clientId: string, permissions: Permissions, pattern: readonly string[]])[];
  readonly #ruleOf = new Map<string, Permissions | undefined>();

  /** @throws CrossCommError `CC_INVALID_OPTION` */
  constructor(rules: readonly AccessRule[] = []) {
    super();
    this.#rules = readRules(rules).map(([clientId, permissions]) => [clientId, permissions, [clientId]]);
  }

  override get isOpen(): boolean {
    return this.#rules.length === 0;
  }

  override maySend({ clientId, permissions }: AuthorizedClient, toClientId: string): boolean {
    return covers(permissions?.send, toClientId) && covers(this.#rule(clientId)?.send, toClientId);
  }

  override mayJoin({ clientId, permissions }: AuthorizedClient, group: string): boolean {
    return covers(permissions?.join, group) && covers(this.#rule(clientId)?.join, group);
  }

  override mayRequest({ clientId, permissions }: AuthorizedClient, toClientId: string, action: string): boolean {
    if (toClientId === SERVER_ID && ACTION_OF_HUB.test(action)) return true;
    return covers(permissions?.request, toClientId) && covers(this.#rule(clientId)?.request, toClientId);
  }

  override mayWatch({ clientId, permissions }: AuthorizedClient, target: string): boolean {
    return covers(permissions?.watch, target) && covers(this.#rule(clientId)?.watch, target);
  }

  override mayList({ clientId, permissions }: AuthorizedClient): boolean {
    return permissions?.list !== false && this.#rule(clientId)?.list !== false;
  }

  #rule(clientId: string): Permissions | undefined {
    if (this.#rules.length === 0) return undefined;
    const known = this.#ruleOf.get(clientId);
    if (known !== undefined || this.#ruleOf.has(clientId)) return known;
    if (this.#ruleOf.size >= MAX_REMEMBERED) this.#ruleOf.clear();
    const rule = this.#rules.find(([, , pattern]) => covers(pattern, clientId))?.[1];
    this.#ruleOf.set(clientId, rule);
    return rule;
  }
}
