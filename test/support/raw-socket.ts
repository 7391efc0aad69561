import { createConnection, type Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { onCleanUp } from './clean-up.js';

/** One WebSocket frame as bytes, masked as clients must. */
export function clientFrame(opcode: number, payload: Buffer, fin = true): Buffer {
  const mask = randomBytes(4);
  const masked = Buffer.from(payload.map((byte, i) => byte ^ (mask[i & 3] as number)));
  return Buffer.concat([clientFrameHeader(opcode, payload.length, fin), mask, masked]);
}

/** The head of a client's frame up to its mask key, for payloads of any declared length. */
export function clientFrameHeader(opcode: number, length: number, fin = true): Buffer {
  const first = (fin ? 0x80 : 0) | opcode;
  if (length < 126) return Buffer.from([first, 0x80 | length]);
  if (length < 65_536) return Buffer.from([first, 0xfe, length >> 8, length & 255]);
  const head = Buffer.alloc(10);
  head.set([first, 0xff]);
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** A TCP connection after its upgrade that reads bytes and answers nothing by itself, unlike any WebSocket library. */
export class RawSocket {
  #received = Buffer.alloc(0);
  readonly #ended: Promise<void>;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])));
    // a reset by the hub is one of the ends a test waits for
    socket.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      socket.once('end', resolve);
      socket.once('close', () => resolve());
    });
  }

  /** Sends request lines and resolves with what came back up to the end of the headers. */
  static async request(port: number, lines: readonly string[]): Promise<{ client: RawSocket; head: string }> {
    const socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true });
    const client = new RawSocket(socket);
    onCleanUp(() => socket.destroy());
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    const end = (): number => client.#received.indexOf('\r\n\r\n');
    await client.#wait(() => end() !== -1, 'an HTTP answer');
    const head = client.#received.subarray(0, end()).toString();
    client.#received = client.#received.subarray(end() + 4);
    return { client, head };
  }

  /** Connects and upgrades. */
  static async upgrade(port: number): Promise<RawSocket> {
    const { client, head } = await RawSocket.request(port, [
      'GET / HTTP/1.1',
      'Host: hub',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      'Sec-WebSocket-Version: 13',
    ]);
    if (!head.startsWith('HTTP/1.1 101')) throw new Error(head);
    return client;
  }

  write(bytes: Buffer | string): void {
    this.socket.write(bytes);
  }

  sendText(text: string): void {
    this.write(clientFrame(1, Buffer.from(text)));
  }

  /** The next frame from the hub. */
  async frame(): Promise<{ opcode: number; fin: boolean; payload: Buffer }> {
    let head = 2;
    let length = 0;
    const complete = (): boolean => {
      const bytes = this.#received;
      if (bytes.length < 2) return false;
      const short = (bytes[1] as number) & 127;
      head = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (bytes.length < head) return false;
      length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
      return bytes.length >= head + length;
    };
    await this.#wait(complete, 'a frame');
    const bytes = this.#received;
    const [first] = bytes;
    this.#received = bytes.subarray(head + length);
    return { opcode: (first as number) & 15, fin: ((first as number) & 128) !== 0, payload: bytes.subarray(head, head + length) };
  }

  /** The code of the close frame that must come next. */
  async closeCode(): Promise<number> {
    const { opcode, payload } = await this.frame();
    if (opcode !== 8) throw new Error(`Expected a close frame, got opcode ${opcode}: ${payload.toString()}`);
    return payload.readUInt16BE(0);
  }

  /** Waits for the hub to end the TCP connection, while our side stays open; milliseconds it took. */
  async ended(withinMs: number): Promise<number> {
    const startMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`TCP still open after ${withinMs} ms`)), withinMs);
    });
    await Promise.race([this.#ended, late]).finally(() => clearTimeout(timer));
    return performance.now() - startMs;
  }

  async #wait(condition: () => boolean, what: string): Promise<void> {
    const deadlineMs = performance.now() + 4_000;
    while (!condition()) {
      if (performance.now() > deadlineMs) throw new Error(`Not received: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}
