import type { ErrorCode } from '../../src/protocol/index.js';
import type { RefusalKind } from '../../src/security/index.js';
import type { TestHub, TestHubOptions } from '../../src/testing/index.js';
import { mailClient } from '../support/mail-client.js';
import type { RawClient } from '../support/raw-client.js';

/** A hub, and the clients of one scene. */
export interface Stage {
  readonly hub: TestHub;
  /** Who is refused something: logged in with protocol 2, or as an old client. */
  readonly alice: RawClient;
  readonly isOld: boolean;
}

/** Makes the hub refuse something to alice. The frame that is refused has the `msg_id` `m`. */
export type Provoke = (stage: Stage) => unknown;

/** One refusal that alice is told in an `error` frame. */
export interface ErrorRow {
  readonly options?: TestHubOptions;
  readonly provoke: Provoke;
  /** The text before the remedy. */
  readonly detail?: string;
  readonly replyTo?: null;
  readonly data?: object;
  /** Whether it says when to try again. */
  readonly retryAfter?: true;
  /** What it is counted as; absent: it is no protection of the hub, and not counted. */
  readonly counted?: RefusalKind;
  /** What it is counted as when an old client does the same, where that is something else. */
  readonly oldCounted?: RefusalKind | 'nothing';
}

/** Sends a message of alice with the `msg_id` `m`. */
export const message = (to_client_id: string, content: unknown = 'x', more: object = {}): Provoke => ({ alice }) => alice.send({ msg_id: 'm', to_client_id, content, ...more });

/** Asks the hub for an action, with the `msg_id` `m`. */
export const action = (name: string, data: unknown = {}): Provoke => ({ alice }) => alice.send({ msg_type: 'request', msg_id: 'm', to_client_id: 'server', content: { action: name, data } });

/** Bob, who confirms what he gets; away when `isAway`. */
export async function bobWithMailbox({ hub }: Stage, isAway: boolean): Promise<RawClient> {
  const bob = await mailClient(hub.url, 'bob');
  if (isAway) await bob.close();
  return bob;
}

/** Codes that are told in an `error` frame, and how. */
export type ErrorRows = Readonly<Partial<Record<ErrorCode, ErrorRow | readonly ErrorRow[]>>>;
