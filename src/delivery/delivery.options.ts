import { IsBoolean, IsIn, IsInt, Max, Min } from 'class-validator';
import { PROTOCOL_LIMITS } from '../protocol/index.js';

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** Durable messages, groups, presence and requests between clients. */
export class DeliveryOptions {
  /** Where mail is kept: an append log in the data dir, in memory (for tests), or nowhere: then all messages are live. */
  @IsIn(['log', 'memory', 'none'])
  store: 'log' | 'memory' | 'none' = 'log';

  /**
   * Whether the hub refuses to start while another one has its data dir. Else it starts, says so, and keeps no mail: all
   * messages are live. Default: true where a `dataDir` is given, false for the default one, which programs that were
   * started in the same folder share.
   */
  @IsBoolean()
  requireStore: boolean = false;

  /** Messages one mailbox may hold; further ones are refused with `CC_MAILBOX_FULL`. Default 10,000. */
  @IsInt()
  @Min(1)
  mailboxMaxMessages: number = 10_000;

  /** Bytes one mailbox may hold, likewise. Default 64 MiB. */
  @IsInt()
  @Min(65_536)
  mailboxMaxBytes: number = 64 * MIB;

  /** Time after which mail expires, in milliseconds; a message's own time to live may be shorter. Default 7 days. */
  @IsInt()
  @Min(100)
  mailTtlMs: number = 7 * 24 * HOUR_MS;

  /** Mailboxes; one more client gets none. Default 100,000. */
  @IsInt()
  @Min(1)
  maxMailboxes: number = 100_000;

  /** Rejections by its receiver after which a message goes to the dead letters. Default 5. */
  @IsInt()
  @Min(1)
  maxDeliveryAttempts: number = 5;

  /** Time until a rejected message is sent again, unless the receiver says otherwise, in milliseconds. Default 1,000. */
  @IsInt()
  @Min(0)
  redeliveryDelayMs: number = 1_000;

  /** Dead letters kept; beyond it the oldest is dropped. Default 1,000. */
  @IsInt()
  @Min(0)
  maxDeadLetters: number = 1_000;

  /**
   * Whether mail is held for clients that cannot confirm, too: it then counts as processed when it was handed to their
   * connection. Default false: they get what is sent while they are online, as with the Python server.
   */
  @IsBoolean()
  holdMailForOldClients: boolean = false;

  /**
   * Whether receivers that confirm get a message while it is being stored; its sender gets its ack when it is stored or
   * confirmed, whichever is first. Default true. False: nobody gets what is not stored. That is slower, and is for receivers
   * that do not know again what they have processed (PROTOCOL.md, Delivery) when the hub has crashed.
   */
  @IsBoolean()
  deliverWhileStoring: boolean = true;

  /**
   * Time that a receiver has for confirming a message which it was sent and which then could not be stored, in milliseconds;
   * beyond it the sender is told `CC_DELIVERY_UNKNOWN`. Default 10,000.
   */
  @IsInt()
  @Min(0)
  unstoredConfirmMs: number = 10_000;

  /** Time for which the ids of messages are remembered, so that one sent twice is delivered once, in ms. Default 24 h. */
  @IsInt()
  @Min(1_000)
  duplicateWindowMs: number = 24 * HOUR_MS;

  /** Ids remembered in all; beyond it a sender's own oldest are forgotten first. Default 1,000,000. */
  @IsInt()
  @Min(1_000)
  maxRememberedIds: number = 1_000_000;

  /** Bytes of the store on disk; beyond it durable messages are refused with `CC_STORE_FULL`. Default 4 GiB. */
  @IsInt()
  @Min(MIB)
  maxStoreBytes: number = 4_096 * MIB;

  /** Size of one file of the store, in bytes. Default 16 MiB. */
  @IsInt()
  @Min(65_536)
  @Max(1_024 * MIB)
  segmentBytes: number = 16 * MIB;

  /** How long a starting hub that requires its store waits for another one to leave the data dir, in ms. Default 10,000. */
  @IsInt()
  @Min(0)
  dataDirWaitMs: number = 10_000;

  /** Durable messages of one client that may wait for their ack; who sends more is not read until half are answered. Default 1,024. */
  @IsInt()
  @Min(2)
  maxUnacked: number = PROTOCOL_LIMITS.maxUnacked;

  /** The same in bytes. Default 4 MiB. */
  @IsInt()
  @Min(65_536)
  maxUnackedBytes: number = PROTOCOL_LIMITS.maxUnackedBytes;

  /** Time over which the return of the clients is spread when the hub shuts down, in milliseconds. Default 2,000. */
  @IsInt()
  @Min(0)
  drainSpreadMs: number = 2_000;

  /** Bytes of mail on their way to one client; one message may be larger. Default 1 MiB. */
  @IsInt()
  @Min(1_024)
  maxUnconfirmedBytes: number = MIB;

  /** Groups that have members; a further one is refused with `CC_LIMIT_REACHED`. Default 10,000. */
  @IsInt()
  @Min(0)
  maxGroups: number = 10_000;

  /** Groups that one client may be a member of, likewise. Default 1,000. */
  @IsInt()
  @Min(0)
  maxGroupsPerClient: number = 1_000;

  /** Clients and groups that one client may watch, likewise. Default 1,000. */
  @IsInt()
  @Min(0)
  maxWatches: number = 1_000;

  /** Requests of one client that may wait for their answer, likewise. Default 1,024. */
  @IsInt()
  @Min(1)
  maxPendingRequests: number = 1_024;

  /** Longest time that a request may wait for its answer, and the time it has unless it asks for less, in ms. Default 300,000. */
  @IsInt()
  @Min(100)
  maxRequestMs: number = 300_000;
}
