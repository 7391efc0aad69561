import type { Permissions } from '../protocol/index.js';

/** A client that is logged in, as an {@link Authorizer} sees it. */
export interface AuthorizedClient {
  readonly clientId: string;
  /** What its login may do; undefined: everything. */
  readonly permissions: Permissions | undefined;
}

/**
 * Decides what clients may do; also the injection token of the one in use. Its methods are called for every message or
 * request, so they answer at once, from memory. What they throw refuses, and so does any answer but true, a promise too.
 */
export abstract class Authorizer {
  /** Whether a message of this type may go to a client id, `all`, `server` or `group:<name>`. */
  abstract maySend(client: AuthorizedClient, toClientId: string, msgType: string): boolean;
  /** Whether it may become a member of a group; the name is without `group:`. */
  abstract mayJoin(client: AuthorizedClient, group: string): boolean;
  /** Whether it may ask another client, or the hub (`server`), for this action. */
  abstract mayRequest(client: AuthorizedClient, toClientId: string, action: string): boolean;
  /** Whether it may watch the presence of a client id or a `group:<name>`. */
  abstract mayWatch(client: AuthorizedClient, target: string): boolean;
  /** Whether it may list the clients. */
  abstract mayList(client: AuthorizedClient): boolean;

  /** Whether logins without permissions of their own may send everything, so that it need not be asked. Default false. */
  get isOpen(): boolean {
    return false;
  }
}
