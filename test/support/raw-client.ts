import { WebSocket, type ClientOptions } from 'ws';
import { onCleanUp } from './clean-up.js';
import { announcing, wireFrame, type WireFrame } from './wire.js';

/** How a socket ended. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** A dialogue with the hub, frame by frame, with nothing between the test and the wire but `ws`. */
export class RawClient {
  readonly #received: string[] = [];
  readonly #readers: ((text: string) => void)[] = [];
  readonly #closing: Promise<Closing>;
  /** The id of the last `login`. */
  id = '';

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      const text = isBinary ? `binary:${data.toString('base64')}` : data.toString('utf8');
      const reader = this.#readers.shift();
      if (reader === undefined) this.#received.push(text);
      else reader(text);
    });
    // a socket the hub cuts reports an error first; what counts is the close that follows
    socket.on('error', () => undefined);
    this.#closing = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  /** Opens a socket, closed after the test. */
  static async connect(url: string, options: ClientOptions = {}): Promise<RawClient> {
    const socket = new WebSocket(url, { perMessageDeflate: false, ...options });
    const client = new RawClient(socket);
    onCleanUp(() => socket.terminate());
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  /** Opens a socket and logs in without announcing anything, as the installed clients do. */
  static async old(url: string, id: string): Promise<RawClient> {
    const client = await RawClient.connect(url);
    await client.login(id);
    return client;
  }

  /** Opens a socket and logs in with protocol 2. */
  static async announced(url: string, id: string, limits?: { readonly max_message_bytes: number }): Promise<RawClient> {
    const client = await RawClient.connect(url);
    await client.login(id, announcing(limits));
    return client;
  }

  /** Logs in and returns the answer. */
  async login(id: string, content: unknown = {}): Promise<WireFrame> {
    this.id = id;
    this.send({ msg_type: 'login', content });
    return this.next();
  }

  /** Sends an object with what is missing made up, or a text or bytes exactly as given; returns what was sent. */
  send(frame: Partial<WireFrame> | string | Buffer): string {
    const data = typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(wireFrame({ from_client_id: this.id, ...frame }));
    this.socket.send(data);
    return data.toString();
  }

  /** The text of the next frame. */
  nextText(withinMs = 4_000): Promise<string> {
    const received = this.#received.shift();
    if (received !== undefined) return Promise.resolve(received);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#readers.splice(this.#readers.indexOf(reader), 1);
        reject(new Error(`"${this.id}" received nothing within ${withinMs} ms (socket state ${this.socket.readyState}).`));
      }, withinMs);
      const reader = (text: string): void => {
        clearTimeout(timer);
        resolve(text);
      };
      this.#readers.push(reader);
    });
  }

  /** The next frame. */
  async next(withinMs?: number): Promise<WireFrame> {
    return JSON.parse(await this.nextText(withinMs)) as WireFrame;
  }

  /** Frames that arrived and were not read. */
  get unread(): readonly string[] {
    return this.#received;
  }

  /** Fails when a frame arrives within this time. Prefer {@link expectNothingElse}, which needs no waiting. */
  async expectSilence(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (this.#received.length > 0) throw new Error(`"${this.id}" received: ${this.#received.join('\n')}`);
  }

  /**
   * Fails when the hub sent anything after the frames read so far: a list request is answered on the same socket in
   * order, so its answer must be the next frame.
   */
  async expectNothingElse(): Promise<void> {
    const answer = await this.list(true);
    if (answer === undefined) throw new Error(`"${this.id}" received another frame than the client list.`);
  }

  /** Ids of the client list; undefined when the next frame is no list. */
  async list(onlyShowOnline: boolean): Promise<string[] | undefined> {
    this.send({ msg_type: 'list_clients', content: JSON.stringify({ only_show_online: onlyShowOnline }) });
    const { msg_type, content } = await this.next();
    if (msg_type !== 'list_clients_response') return undefined;
    return (JSON.parse(content as string) as { clients: { client_id: string }[] }).clients.map((client) => client.client_id);
  }

  /** Waits for the end of the socket. */
  async closed(withinMs = 4_000): Promise<Closing> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`"${this.id}" was not closed within ${withinMs} ms.`)), withinMs);
    });
    return Promise.race([this.#closing, late]).finally(() => clearTimeout(timer));
  }

  /** Closes the socket in order and waits for its end. */
  async close(code = 1000): Promise<Closing> {
    this.socket.close(code);
    return this.closed();
  }
}
