/**
 * The defaults of the wire's limits. Each is an option of the hub (see `src/gateway/gateway.options.ts`);
 * sizes in bytes, times in milliseconds.
 */
export const PROTOCOL_LIMITS = {
  /** Largest message either way, after inflation; the Python client dies of one byte more (wire facts 1). */
  maxMessageBytes: 1_048_576,
  /** What a client that announced nothing can receive. Not an option: it is in the installed clients. */
  legacyReceiveBytes: 1_048_576,
  /** Largest first frame before login. */
  maxLoginBytes: 4_096,
  /** Objects and arrays inside each other in one content; Python fails near 1,000. */
  maxNestingDepth: 128,
  /** Length of a client id in UTF-8 bytes. */
  maxClientIdBytes: 256,
  /** Length of an oss_key in UTF-8 bytes (the OSS limit). */
  maxObjectKeyBytes: 1_023,
  /** Messages of a mailbox that may be sent and not confirmed, unless the client announces another number. */
  maxUnconfirmed: 256,
  /** Durable messages of one client that may wait for their ack. */
  maxUnacked: 1_024,
  /** The same in bytes. */
  maxUnackedBytes: 4 * 1_048_576,
  /** Messages that may have been sent to receivers before they are stored. Not an option: clients know as many again after a crash of the hub. */
  maxShown: 4_096,
} as const;
