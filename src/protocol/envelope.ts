import type { CommMsgType } from './message-type.js';

/** One decoded message: the wire's seven keys in TypeScript spelling. */
export interface Envelope {
  /** The sender's id of this message. Old systems send other JSON types too; those are kept as their JSON text. */
  readonly msgId: string;
  readonly fromClientId: string;
  /** A client id, `"all"` or `"server"`. */
  readonly toClientId: string;
  readonly msgType: CommMsgType;
  /**
   * The content as parsed from the wire. Integers beyond 2^53 lose digits here, never in the frame that is forwarded.
   */
  readonly content: unknown;
  /** Unix seconds; what was not a number on the wire is 0. */
  readonly timestamp: number;
  /** Object key in the file storage, or null. */
  readonly ossKey: string | null;
  /** Protocol 2 only: extension fields, never sent to connections that did not announce protocol 2. */
  readonly ext?: Readonly<Record<string, unknown>> | undefined;
}
