import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { FEATURES } from '../../../src/protocol/index.js';
import { onCleanUp } from '../../support/clean-up.js';
import type { WireFrame } from '../../support/wire.js';

/** What a scripted hub says at a login; the rest is as a hub with everything would say it. */
export interface ScriptedWelcome {
  readonly features?: readonly string[];
  readonly limits?: object;
  /** Null: this hub keeps no mail. */
  readonly mail?: { readonly epoch: string; readonly seq: number; readonly recovered?: boolean; readonly pending?: number } | null;
}

/** A hub whose part is spoken by the test, frame by frame, so that a client's frames can be told exactly. */
export class ScriptedHub {
  readonly #server: WebSocketServer;
  readonly #connections: ScriptedConnection[] = [];
  readonly #waiting: ((connection: ScriptedConnection) => void)[] = [];

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket) => {
      const connection = new ScriptedConnection(socket);
      const waiting = this.#waiting.shift();
      if (waiting) waiting(connection);
      else this.#connections.push(connection);
    });
  }

  static async open(): Promise<ScriptedHub> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await new Promise((resolve) => server.once('listening', resolve));
    onCleanUp(async () => {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    });
    return new ScriptedHub(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next connection, before its login. */
  async accept(): Promise<ScriptedConnection> {
    const connection = this.#connections.shift();
    return connection ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The next connection, its login answered. */
  async welcome(welcome: ScriptedWelcome = {}): Promise<ScriptedConnection> {
    const connection = await this.accept();
    await connection.welcome(welcome);
    return connection;
  }
}

/** One socket of a {@link ScriptedHub}. */
export class ScriptedConnection {
  readonly #socket: WebSocket;
  readonly #received: string[] = [];
  readonly #readers: ((text: string) => void)[] = [];
  /** The id of the login. */
  id = '';
  /** The announcement of the login. */
  announced: unknown;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      // they come when they come
      if (text.includes('"msg_type":"heartbeat"')) return;
      const reader = this.#readers.shift();
      if (reader) reader(text);
      else this.#received.push(text);
    });
  }

  /** Reads the login and answers it. */
  async welcome({ features = FEATURES, limits = {}, mail = { epoch: 'e1', seq: 0 } }: ScriptedWelcome = {}): Promise<void> {
    const { from_client_id, content } = await this.next();
    this.id = from_client_id;
    this.announced = (content as { readonly cross_comm: unknown }).cross_comm;
    this.send({ msg_type: 'login_response', content: { status: 'success', cross_comm: { protocol: 2, session: 's', features, limits, mail } } });
  }

  /** The text of the next frame but for heartbeats. */
  nextText(withinMs = 4_000): Promise<string> {
    const text = this.#received.shift();
    if (text !== undefined) return Promise.resolve(text);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`"${this.id}" sent nothing within ${withinMs} ms.`)), withinMs);
      this.#readers.push((text) => {
        clearTimeout(timer);
        resolve(text);
      });
    });
  }

  async next(): Promise<WireFrame> {
    return JSON.parse(await this.nextText()) as WireFrame;
  }

  /** The next `count` frames. */
  async take(count: number): Promise<WireFrame[]> {
    const frames: WireFrame[] = [];
    while (frames.length < count) frames.push(await this.next());
    return frames;
  }

  /** Fails when the client sends anything but heartbeats within this time. */
  async expectSilence(ms = 60): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (this.#received.length > 0) throw new Error(`"${this.id}" sent: ${this.#received.join('\n')}`);
  }

  /** Sends a frame, from the hub to this client unless told otherwise. */
  send(frame: Partial<WireFrame>): void {
    const empty = { msg_id: 'h', from_client_id: 'server', to_client_id: this.id, msg_type: 'text', content: '', timestamp: 1, oss_key: null };
    this.#socket.send(JSON.stringify({ ...empty, ...frame }));
  }

  ack(receipt: string, ...frames: readonly Pick<WireFrame, 'msg_id'>[]): void {
    this.send({ msg_type: 'ack', content: { receipt, msg_ids: frames.map(({ msg_id }) => msg_id) } });
  }

  error(content: object): void {
    this.send({ msg_type: 'error', content: { message: 'No.', reply_to: null, ...content } });
  }

  /** A message of the client's mailbox. */
  mail(seq: number, content: unknown, { from = 'alice', ext = {} }: { readonly from?: string; readonly ext?: object } = {}): void {
    this.send({ msg_id: `${from}-${String(content)}`, from_client_id: from, content, ext: { ...ext, seq } });
  }

  /** Cuts the connection. */
  cut(): void {
    this.#socket.terminate();
  }

  close(code: number): void {
    this.#socket.close(code);
  }
}
