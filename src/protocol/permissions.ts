/**
 * What a login may do. Each list holds exact names or beginnings followed by `*`; `*` alone is everybody. What is not
 * given is not restricted. Travels as `cross_comm.permissions` of a JWT.
 */
export interface Permissions {
  /** Targets of messages: client ids, `all`, `server`, `group:<name>`. */
  readonly send?: readonly string[];
  /** Names of groups, without `group:`. */
  readonly join?: readonly string[];
  /** Clients that may be asked something; `server` for the actions of the application. */
  readonly request?: readonly string[];
  /** Whose presence may be watched: client ids, `group:<name>`. */
  readonly watch?: readonly string[];
  /** Whether it may list clients. */
  readonly list?: boolean;
}
