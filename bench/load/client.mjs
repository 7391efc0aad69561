// @ts-check
import { connect } from 'node:net';
import { envelopeText } from './dialects.mjs';
import { maskedFrame } from './masked-frame.mjs';

/** Connections that are opened at the same time. */
const OPENING_AT_ONCE = 32;
/** Connections per source address: fewer than a system has ephemeral ports. */
const PER_ADDRESS = 20_000;

/** Reading is synchronous and nothing keeps what was read, so that all sockets share one buffer. */
const readBuffer = Buffer.allocUnsafe(64 * 1024);

/**
 * @typedef {object} ServerAddress
 * @property {number} port
 * @property {import('./dialects.mjs').Dialect} dialect
 * @property {unknown} [loginContent] content of the login; default an empty text
 */

/** A WebSocket client made of a raw socket: as cheap as a client in JavaScript can be. */
export class LoadClient {
  /** Takes what arrives after login; the chunk may be written over after the call. @type {(chunk: Buffer, length: number) => void} */
  onBytes = () => {
    throw new Error(`${this.id} got something unasked for.`);
  };
  /** @type {import('node:net').Socket} */
  #socket;
  #isDone = false;

  /**
   * Use {@link LoadClient.open}.
   *
   * @param {string} id
   * @param {import('node:net').TcpNetConnectOpts} options
   */
  constructor(id, options) {
    this.id = id;
    this.#socket = connect({
      ...options,
      noDelay: true,
      onread: {
        buffer: () => readBuffer,
        callback: (length, chunk) => {
          this.onBytes(/** @type {Buffer} */ (chunk), length);
          return true;
        },
      },
    });
    this.#socket.on('error', (error) => this.#lost(error.message));
    this.#socket.on('close', () => this.#lost('closed'));
  }

  /**
   * Connects, upgrades and logs in.
   *
   * @param {ServerAddress} server
   * @param {number} index names the client; must be unique
   * @returns {Promise<LoadClient>}
   */
  static async open({ port, dialect, loginContent = '' }, index) {
    const client = new LoadClient(clientId(index), { host: '127.0.0.1', port, ...sourceOf(index) });
    await client.#logIn(dialect, port, loginContent);
    return client;
  }

  /**
   * @param {ServerAddress} server
   * @param {{ first: number, count: number }} range indexes of the clients
   * @returns {Promise<LoadClient[]>}
   */
  static async openMany(server, { first, count }) {
    /** @type {LoadClient[]} */
    const clients = [];
    let next = 0;
    const opener = async () => {
      while (next < count) {
        const i = next++;
        clients[i] = await LoadClient.open(server, first + i);
      }
    };
    await Promise.all(Array.from({ length: Math.min(count, OPENING_AT_ONCE) }, opener));
    return clients;
  }

  /** @param {Buffer} bytes whole frames; not to be changed before they have arrived */
  write(bytes) {
    this.#socket.write(bytes);
  }

  /** Stops reading. */
  pause() {
    this.#socket.pause();
  }

  /** Reads again. */
  resume() {
    this.#socket.resume();
  }

  /** Cuts the connection. */
  close() {
    this.#isDone = true;
    this.#socket.resetAndDestroy();
  }

  /**
   * @param {import('./dialects.mjs').Dialect} dialect
   * @param {number} port
   * @param {unknown} content
   * @returns {Promise<void>}
   */
  #logIn(dialect, port, content) {
    const login = maskedFrame(
      Buffer.from(dialect.wrap('login', envelopeText({ from: this.id, to: 'server', type: 'login', content }))),
    );
    const greeting = [...dialect.greeting];
    let isUpgraded = false;
    let received = Buffer.alloc(0);
    return new Promise((resolve) => {
      const onText = (/** @type {string} */ text) => {
        if (greeting[0] !== undefined && text.startsWith(greeting[0].expect)) {
          const { reply } = /** @type {{ reply: string }} */ (greeting.shift());
          if (reply !== '') this.write(maskedFrame(Buffer.from(reply)));
          if (greeting.length === 0) this.write(login);
        } else if (text.includes('login_response') && text.includes('success')) resolve();
        else throw new Error(`${this.id} was not let in: ${text}`);
      };
      this.onBytes = (chunk, length) => {
        received = Buffer.concat([received, chunk.subarray(0, length)]);
        if (!isUpgraded) {
          const end = received.indexOf('\r\n\r\n');
          if (end === -1) return;
          if (!received.subarray(0, end).toString('latin1').startsWith('HTTP/1.1 101'))
            throw new Error(`No upgrade: ${received.toString('latin1')}`);
          isUpgraded = true;
          received = received.subarray(end + 4);
          if (greeting.length === 0) this.write(login);
        }
        for (let text; (text = shortText(received)) !== undefined; onText(text.payload)) received = received.subarray(text.frameBytes);
      };
      this.#socket.write(
        `GET ${dialect.path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
      );
    });
  }

  /** @param {string} why */
  #lost(why) {
    if (!this.#isDone) throw new Error(`${this.id} lost its connection: ${why}.`);
  }
}

/**
 * All ids have the same length, so that all messages have.
 *
 * @param {number} index
 */
function clientId(index) {
  return `client-${String(index).padStart(6, '0')}`;
}

/** @param {number} index */
function sourceOf(index) {
  const address = Math.floor(index / PER_ADDRESS);
  return address === 0 ? {} : { localAddress: `127.0.0.${1 + address}` };
}

/**
 * The first frame, when it is there as a whole.
 *
 * @param {Buffer} bytes
 */
function shortText(bytes) {
  if (bytes.length < 4) return undefined;
  const isShort = /** @type {number} */ (bytes[1]) < 126;
  const head = isShort ? 2 : 4;
  const length = isShort ? /** @type {number} */ (bytes[1]) : bytes.readUInt16BE(2);
  if (bytes[0] !== 0x81) throw new Error(`Not a text frame: ${bytes.toString('latin1')}`);
  if (bytes.length < head + length) return undefined;
  return { payload: bytes.toString('utf8', head, head + length), frameBytes: head + length };
}
