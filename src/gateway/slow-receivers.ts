import { Injectable, Logger } from '@nestjs/common';
import { ClientRegistry, PacedLog, sendError, type Connection, type OutboundMessage, type SendOutcome } from '../clients/index.js';
import { GroupRegistry } from '../delivery/index.js';
import { BROADCAST_ID, CloseCode, CrossCommError, groupOf, quoted, type Envelope } from '../protocol/index.js';
import { Refusals } from '../security/index.js';
import { GatewayOptions } from './gateway.options.js';
import { LiveBacklog } from './live-backlog.js';

/** How often slow receivers are looked at, at the longest, in milliseconds. */
const LOOK_INTERVAL_MS = 500;

/** A connection as {@link SlowReceivers} deals with it. */
export interface BufferedReceiver extends Connection {
  /** Bytes held back until the end of the turn, and bytes in the socket; without the backlog. */
  readonly unwrittenBytes: number;
  /** Unwritten bytes up to which a frame is written without more ado; beyond them {@link SlowReceivers.send} decides. -1: always. */
  freeBytes: number;
  /** Set while the receiver is slow. */
  slowness: Slowness | undefined;
  /** Writes what is held back. */
  flush(): void;
  /** Writes a frame. */
  write(payload: Buffer): void;
  /** Has {@link SlowReceivers} told when what is written has left. @returns false when there is nothing that could leave */
  watchDrain(): boolean;
}

/** The time in which one receiver is slow. */
export class Slowness {
  /** What waits for it beside the socket; only of the policy `drop_oldest`. */
  readonly backlog = new LiveBacklog();
  /** Resolves when it is over. */
  readonly over: Promise<void>;
  end!: () => void;
  /** How often it was found slow. Counted, and not measured by the clock: while the hub stands still nobody can read. */
  looks = 0;

  constructor() {
    this.over = new Promise((resolve) => (this.end = resolve));
  }
}

/**
 * What happens to receivers that do not read what is sent to them: closed at the hard limit (`maxBufferedBytes`), and,
 * when the option `slowReceiver` says so, spared their oldest live messages or spared by their senders from the soft
 * limit (`softBufferedBytes`) on. Receivers that read never come here.
 *
 * The system tells when a slow receiver has caught up. One timer, which runs only while somebody is slow, ends the
 * patience with those that never do.
 */
@Injectable()
export class SlowReceivers {
  readonly #log = new PacedLog(new Logger(SlowReceivers.name));
  readonly #slow = new Set<BufferedReceiver>();
  readonly #lookIntervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #dropped = 0;

  constructor(
    private readonly options: GatewayOptions,
    private readonly registry: ClientRegistry,
    private readonly groups: GroupRegistry,
    private readonly refusals: Refusals,
  ) {
    this.#lookIntervalMs = Math.min(LOOK_INTERVAL_MS, options.slowReceiverTimeoutMs / 4);
  }

  /** Live messages that slow receivers missed, since the start. */
  get droppedMessages(): number {
    return this.#dropped;
  }

  /** {@link BufferedReceiver.freeBytes} of a receiver that is not slow. */
  get freeBytes(): number {
    return this.options.slowReceiver === 'close' ? this.options.maxBufferedBytes : this.options.softBufferedBytes;
  }

  /** Sends to a receiver that has more unwritten than is free, or is slow already. */
  send(connection: BufferedReceiver, message: OutboundMessage, payload: Buffer): SendOutcome {
    // so that a burst within one turn does not look like a slow receiver
    connection.flush();
    const { maxBufferedBytes, slowReceiver } = this.options;
    const waiting = connection.unwrittenBytes;
    const isLive = message.isLive && slowReceiver !== 'close' && this.#isSlow(connection, waiting + payload.length);
    if (isLive && slowReceiver === 'drop_oldest') {
      this.#keep(connection, payload);
      return 'sent';
    }
    // with nothing waiting the receiver is not slow, however large this one message is
    if (waiting > 0 && waiting + payload.length > maxBufferedBytes) {
      this.#giveUp(connection, `more than ${maxBufferedBytes} bytes unread`);
      return 'overflow';
    }
    this.#makeRoom(connection, maxBufferedBytes - waiting - payload.length);
    connection.write(payload);
    return 'sent';
  }

  /**
   * Whether a client's live message has to wait, with `block_sender`, because somebody it goes to is slow. It waits at its
   * sender, unsent, and what follows it too: so however many send to one receiver, nothing more comes to lie with that.
   * @returns resolves when it may be tried again; undefined: it need not wait
   */
  mustWait({ fromClientId, toClientId }: Envelope): Promise<void> | undefined {
    if (this.#slow.size === 0 || this.options.slowReceiver !== 'block_sender') return undefined;
    const group = groupOf(toClientId);
    for (const { client, slowness } of this.#slow) {
      if (client === undefined || slowness === undefined) continue;
      const { clientId } = client;
      const isOneOfMany = toClientId === BROADCAST_ID || (group !== undefined && this.groups.membership(group, clientId) !== undefined);
      if (clientId === toClientId || (isOneOfMany && clientId !== fromClientId)) return slowness.over;
    }
    return undefined;
  }

  /** Something that was written has left. */
  written(connection: BufferedReceiver): void {
    if (connection.slowness !== undefined && connection.unwrittenBytes <= this.options.softBufferedBytes / 2) this.drained(connection);
  }

  /** All that was written has left, or nearly: what was kept follows, and its senders go on. */
  drained(connection: BufferedReceiver): void {
    const { slowness } = connection;
    if (slowness === undefined) return;
    this.#end(connection, slowness);
    for (const payload of slowness.backlog.takeAll()) connection.write(payload);
    connection.flush();
    const { dropped } = slowness.backlog;
    if (dropped > 0) {
      const detail = `${dropped} messages were dropped.`;
      sendError(connection, new CrossCommError('CC_SLOW_RECEIVER', { detail, data: { dropped } }), null);
    }
  }

  /** The connection is gone. */
  gone(connection: BufferedReceiver): void {
    if (connection.slowness !== undefined) this.#end(connection, connection.slowness);
  }

  /** Whether a live message that makes it so many bytes is too much for the receiver. */
  #isSlow(connection: BufferedReceiver, bytes: number): boolean {
    const { softBufferedBytes, slowReceiver } = this.options;
    // what waits already goes first, even where there is room again
    if (connection.slowness !== undefined && slowReceiver === 'drop_oldest') return true;
    if (bytes <= softBufferedBytes) return false;
    if (connection.slowness !== undefined) return true;
    if (!connection.watchDrain()) return false;
    connection.slowness = new Slowness();
    if (slowReceiver === 'drop_oldest') connection.freeBytes = -1;
    this.#slow.add(connection);
    this.#timer ??= setInterval(() => this.#look(), this.#lookIntervalMs).unref();
    return true;
  }

  #end(connection: BufferedReceiver, slowness: Slowness): void {
    connection.slowness = undefined;
    connection.freeBytes = this.freeBytes;
    this.#slow.delete(connection);
    slowness.end();
    if (this.#slow.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #keep(connection: BufferedReceiver, payload: Buffer): void {
    const { maxBufferedBytes, softBufferedBytes } = this.options;
    const dropped = connection.slowness?.backlog.push(payload, softBufferedBytes) ?? 0;
    this.#count(connection, dropped);
    this.#makeRoom(connection, maxBufferedBytes - connection.unwrittenBytes);
  }

  /** What may not be dropped goes before the backlog; the hard limit is for both. */
  #makeRoom(connection: BufferedReceiver, bytes: number): void {
    this.#count(connection, connection.slowness?.backlog.shrinkTo(bytes) ?? 0);
  }

  #count(connection: BufferedReceiver, dropped: number): void {
    if (dropped === 0) return;
    this.#dropped += dropped;
    this.#log.add(
      'warn',
      `Receivers are too slow, now ${quoted(connection.client?.clientId)}: ${this.#dropped} live messages dropped so far. They must read faster; softBufferedBytes says how much waits for each.`,
    );
  }

  #giveUp(connection: BufferedReceiver, reason: string): void {
    this.#makeRoom(connection, 0);
    this.refusals.add('slow_receiver', `Closed ${quoted(connection.client?.clientId)}, which does not read: ${reason}.`);
    connection.close(CloseCode.SLOW_RECEIVER, reason);
    // offline at once, not when the socket is gone: the list and delivery agree
    this.registry.closed(connection, 'slow_receiver');
    this.gone(connection);
  }

  #look(): void {
    const { slowReceiver, softBufferedBytes, slowReceiverTimeoutMs } = this.options;
    for (const connection of [...this.#slow]) {
      const { slowness } = connection;
      if (slowness === undefined) continue;
      this.written(connection);
      const isOver = slowness.looks++ * this.#lookIntervalMs >= slowReceiverTimeoutMs;
      if (isOver && slowReceiver === 'block_sender' && connection.slowness === slowness) this.#giveUp(connection, `more than ${softBufferedBytes} bytes unread for ${slowReceiverTimeoutMs} ms`);
    }
  }
}
