import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** How a connection is cut: with a reset, or with an orderly end in the middle of whatever is going on. */
export type Cut = 'rst' | 'fin';

interface Pair {
  readonly client: Socket;
  readonly hub: Socket;
}

/** Cuts each new connection after so many bytes in one direction. */
export interface CutAfter {
  readonly bytes: number;
  readonly direction: 'to-hub' | 'to-client';
  readonly cut: Cut;
}

/**
 * The network between clients and hub: a TCP proxy in the test's process that does to connections what networks do.
 * Clients connect to its port; where it leads to can be changed.
 */
export class Link {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #cutAfter: (() => CutAfter | undefined) | undefined;
  #isDown = false;
  #hubPort: number;
  /** Connections accepted so far. */
  accepted = 0;

  private constructor(hubPort: number) {
    this.#hubPort = hubPort;
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client));
  }

  static async open(hubPort: number): Promise<Link> {
    const link = new Link(hubPort);
    await new Promise<void>((resolve, reject) => link.#server.once('error', reject).listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve));
    return link;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Where new connections lead to; existing ones stay. */
  leadTo(hubPort: number): void {
    this.#hubPort = hubPort;
  }

  /** Cuts every connection there is. @returns how many */
  cut(how: Cut): number {
    const pairs = [...this.#pairs];
    for (const pair of pairs) this.#cutPair(pair, how);
    return pairs.length;
  }

  /** Cuts one connection, the oldest or newest that `choose` picks. */
  cutOne(how: Cut, choose: (count: number) => number): void {
    const pair = [...this.#pairs][choose(this.#pairs.size)];
    if (pair !== undefined) this.#cutPair(pair, how);
  }

  /** While down, new connections are reset at once; existing ones are cut. */
  set isDown(isDown: boolean) {
    this.#isDown = isDown;
    if (isDown) this.cut('rst');
  }

  /** Asked for each new connection; undefined: not cut. */
  cutNewAfter(choose: (() => CutAfter | undefined) | undefined): void {
    this.#cutAfter = choose;
  }

  /**
   * Makes the existing connections half-open for good: nothing gets through any more in either direction, and neither
   * side is told. New connections work. @returns how many
   */
  blackHole(): number {
    for (const { client, hub } of this.#pairs) {
      client.unpipe(hub);
      hub.unpipe(client);
      client.pause();
      hub.pause();
    }
    return this.#pairs.size;
  }

  /** Holds everything back for a while, then lets it through. */
  async stall(ms: number): Promise<void> {
    const pairs = [...this.#pairs];
    for (const { client, hub } of pairs) {
      client.pause();
      hub.pause();
    }
    await new Promise((resolve) => setTimeout(resolve, ms));
    for (const { client, hub } of pairs) {
      client.resume();
      hub.resume();
    }
  }

  async close(): Promise<void> {
    this.cut('rst');
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    this.accepted++;
    // resets are what this is about; what follows is the `close` event
    client.on('error', () => undefined);
    if (this.#isDown) {
      client.resetAndDestroy();
      return;
    }
    const hub = createConnection({ port: this.#hubPort, host: '127.0.0.1', noDelay: true });
    hub.on('error', () => undefined);
    const pair: Pair = { client, hub };
    this.#pairs.add(pair);
    const cutAfter = this.#cutAfter?.();
    client.pipe(hub);
    hub.pipe(client);
    if (cutAfter !== undefined) this.#watch(pair, cutAfter);
    client.once('close', () => this.#end(pair));
    hub.once('close', () => this.#end(pair));
  }

  /** Forwards the bytes up to the limit, then cuts. */
  #watch(pair: Pair, { bytes, direction, cut }: CutAfter): void {
    const [source, sink] = direction === 'to-hub' ? [pair.client, pair.hub] : [pair.hub, pair.client];
    source.unpipe(sink);
    let left = bytes;
    source.on('data', (chunk: Buffer) => {
      if (left < 0) return;
      const through = chunk.subarray(0, left);
      left -= chunk.length;
      if (left > 0) {
        sink.write(through);
        return;
      }
      left = -1;
      // a reset would overtake what was just written
      sink.write(through, () => setImmediate(() => this.#cutPair(pair, cut)));
    });
  }

  #cutPair(pair: Pair, how: Cut): void {
    this.#pairs.delete(pair);
    for (const socket of [pair.client, pair.hub])
      if (how === 'rst') socket.resetAndDestroy();
      else socket.destroy();
  }

  #end(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return;
    pair.client.destroy();
    pair.hub.destroy();
  }
}
