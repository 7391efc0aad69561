import { expect } from '@jest/globals';
import { parsePythonJson } from '../../src/protocol/index.js';
import type { TestHub } from '../../src/testing/index.js';
import { pause, untilConnections } from './open-hub.js';
import { RawClient } from './raw-client.js';
import { sentPayload, type RecordedEvent, type Recording } from './recording.js';
import type { WireFrame } from './wire.js';

/** What the hub does in place of what the Python server did. */
export type Instead =
  /** A recorded server frame is not sent. */
  | { readonly sendsNothing: true }
  /** A list names these clients, in this order. */
  | { readonly lists: readonly (readonly [id: string, status: 'online' | 'offline'])[] }
  /** Before this line the hub closes a connection; what its client sends later in the recording has nowhere to go. */
  | { readonly closes: number; readonly code: number }
  /** The frame a client sends in this line reaches this connection. */
  | { readonly delivers: number };

/** A named exception: where the hub is better than the server that was recorded. */
export interface Deviation {
  /** Lines of the recording, from 1. */
  readonly lines: readonly number[];
  readonly reason: string;
  readonly instead: Instead;
}

/** How a recording is replayed. */
export interface ReplayOptions {
  readonly deviations: readonly Deviation[];
  /** Share of the recorded time that is waited between frames; 0 only waits for the hub. */
  readonly pace?: number;
}

/** Replays the clients of a recording against a hub and compares each frame that comes back. */
export async function replay(hub: TestHub, recording: Recording, options: ReplayOptions): Promise<void> {
  await new Replay(hub, options).run(recording);
}

class Replay {
  readonly #clients = new Map<number, RawClient>();
  readonly #closedByHub = new Set<number>();
  readonly #leaving = new Set<number>();
  readonly #sent: string[] = [];
  readonly #startMs = performance.now();
  #fragments = '';
  #lastSender: number | undefined;

  constructor(
    private readonly hub: TestHub,
    private readonly options: ReplayOptions,
  ) {}

  async run({ events }: Recording): Promise<void> {
    for (const event of events) {
      try {
        const instead = this.options.deviations.find(({ lines }) => lines.includes(event.line))?.instead;
        if (event.dir === 'c2s') await this.#clientSide(event, instead);
        else await this.#hubSide(event, instead);
      } catch (cause) {
        throw new Error(`Line ${event.line} of the recording: ${(cause as Error).message}`, { cause });
      }
    }
  }

  async #clientSide(event: RecordedEvent, instead: Instead | undefined): Promise<void> {
    await pause(event.t * (this.options.pace ?? 0) - (performance.now() - this.#startMs));
    if (instead !== undefined && 'closes' in instead) {
      const client = this.#client(instead.closes);
      expect((await client.closed()).code).toBe(instead.code);
      expect(client.unread).toEqual([]);
      this.#closedByHub.add(instead.closes);
    }
    if (event.event === 'handshake') {
      const path = event.lines?.[0]?.split(' ')[1] ?? '/';
      this.#clients.set(event.conn, await RawClient.connect(this.hub.url + path));
      return;
    }
    if (this.#closedByHub.has(event.conn)) return;
    await this.#settle(event.conn);
    const client = this.#client(event.conn);
    if (event.event === 'tcp-fin') {
      if (!this.#leaving.has(event.conn)) await this.#vanish(event.conn);
    } else if (event.opcode === 'close') {
      client.socket.close(event.code);
      this.#leaving.add(event.conn);
    } else {
      this.#send(client, event);
      if (instead !== undefined && 'delivers' in instead) expect(await this.#client(instead.delivers).nextText()).toBe(event.text);
    }
  }

  #send(client: RawClient, event: RecordedEvent): void {
    const bytes = sentPayload(event);
    client.socket.send(bytes, { binary: event.opcode === 'binary', fin: event.fin ?? true });
    if (event.opcode === 'binary') this.#sent.push(event.text?.replace('\ufeff', '') ?? '', bytes.subarray(2).toString('utf16le'));
    else this.#fragments += bytes.toString();
    if (event.fin !== true || event.opcode === 'binary') return;
    this.#sent.push(this.#fragments);
    this.#fragments = '';
  }

  /** What one connection sent is handled before another one sends: the recording's order holds across sockets. */
  async #settle(conn: number): Promise<void> {
    const last = this.#lastSender;
    this.#lastSender = conn;
    if (last === undefined || last === conn || this.#closedByHub.has(last) || this.#leaving.has(last)) return;
    const { socket } = this.#client(last);
    await new Promise((resolve) => {
      socket.once('pong', resolve);
      socket.ping();
    });
  }

  async #vanish(conn: number): Promise<void> {
    this.#client(conn).socket.terminate();
    this.#leaving.add(conn);
    await this.#untilGone();
  }

  async #hubSide(event: RecordedEvent, instead: Instead | undefined): Promise<void> {
    const client = this.#client(event.conn);
    if (event.opcode === 'close') {
      if (this.#closedByHub.has(event.conn)) return;
      this.#leaving.add(event.conn);
      expect((await client.closed()).code).toBe(event.code);
      expect(client.unread).toEqual([]);
      await this.#untilGone();
      return;
    }
    if (event.opcode === undefined || (instead !== undefined && 'sendsNothing' in instead)) return;
    const text = await client.nextText();
    if (instead !== undefined && 'lists' in instead) expect(listed(JSON.parse(text) as WireFrame)).toEqual(instead.lists);
    else this.#compare(text, event.text as string);
  }

  #compare(text: string, recorded: string): void {
    const expected = parsePythonJson(recorded, 64) as WireFrame;
    if (expected.from_client_id !== 'server') {
      const original = this.#sent.findLast((sent) => isSameMessage(sent, recorded));
      expect(original).toBeDefined();
      // the sender's own bytes, where the Python server spells them anew
      expect(text).toBe(original);
      return;
    }
    const frame = JSON.parse(text) as WireFrame;
    expect(Object.keys(frame)).toEqual(Object.keys(expected));
    expect(frame.msg_id).toMatch(/./);
    expect(frame.timestamp).toBeGreaterThan(1_700_000_000);
    expect(withoutTimes(frame)).toEqual(withoutTimes(expected));
  }

  #untilGone(): Promise<void> {
    return untilConnections(this.hub, this.#clients.size - new Set([...this.#leaving, ...this.#closedByHub]).size);
  }

  #client(conn: number): RawClient {
    const client = this.#clients.get(conn);
    if (client === undefined) throw new Error(`connection ${conn} was never opened`);
    return client;
  }
}

/** Equal as the Python server understood them: key order and spelling aside, a missing oss_key being null. */
function isSameMessage(sent: string, recorded: string): boolean {
  try {
    expect({ oss_key: null, ...(parsePythonJson(sent, 64) as object) }).toEqual(parsePythonJson(recorded, 64));
    return true;
  } catch {
    // not this one
    return false;
  }
}

function withoutTimes(frame: WireFrame): unknown {
  const { msg_type, content, msg_id: _id, timestamp: _time, ...rest } = frame;
  if (msg_type !== 'list_clients_response') return { ...rest, msg_type, content };
  const list = JSON.parse(content as string) as { clients: Record<string, unknown>[] };
  const clients = list.clients.map((client) => ({ ...client, last_heartbeat: typeof client['last_heartbeat'], login_time: typeof client['login_time'] }));
  return { ...rest, msg_type, content: { ...list, clients } };
}

function listed({ content }: WireFrame): [string, string][] {
  const { clients, total_count } = JSON.parse(content as string) as { clients: { client_id: string; status: string }[]; total_count: number };
  expect(total_count).toBe(clients.length);
  return clients.map(({ client_id, status }) => [client_id, status]);
}
