import { WebSocket, type ClientOptions } from 'ws';
import { decodeEnvelope, loginContent, type Envelope } from '../../src/protocol/index.js';

/** How a connection ended. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
}

const PATIENCE_MS = 5_000;
let lastMessageNumber = 0;

/** A client that speaks frames, so that tests see the wire and nothing of the SDK. */
export class RawClient {
  readonly received: Envelope[] = [];
  readonly ended: Promise<Ending>;
  readonly webSocket: WebSocket;
  readonly #waiting = new Set<() => void>();

  private constructor(
    readonly clientId: string,
    webSocket: WebSocket,
  ) {
    this.webSocket = webSocket;
    this.ended = new Promise((resolve) => {
      webSocket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    webSocket.on('message', (data: Buffer) => {
      this.received.push(decodeEnvelope(data.toString('utf8'), { allowExt: true }));
      for (const check of this.#waiting) check();
    });
  }

  /** Connects without logging in. */
  static async open(url: string, clientId: string, options: ClientOptions = {}): Promise<RawClient> {
    const webSocket = new WebSocket(url, options);
    const client = new RawClient(clientId, webSocket);
    await new Promise<void>((resolve, reject) => {
      webSocket.once('open', () => resolve());
      webSocket.once('error', reject);
    });
    // later errors show as the way the connection ended
    webSocket.on('error', () => undefined);
    return client;
  }

  /** Connects and logs in; with `protocol: 2` as a client that announces. */
  static async login(url: string, clientId: string, { protocol = 1 }: { readonly protocol?: 1 | 2 } = {}): Promise<RawClient> {
    const client = await RawClient.open(url, clientId);
    const announcement = { protocol: 2, features: [], maxMessageBytes: 1_048_576 };
    client.send({ msgType: 'login', toClientId: 'server', content: protocol === 2 ? loginContent(announcement) : '' });
    await client.next((envelope) => envelope.msgType === 'login_response');
    return client;
  }

  /** Sends one frame; what is not given is filled in. */
  send(envelope: Partial<Envelope>): string {
    const msgId = envelope.msgId ?? `${this.clientId}_${++lastMessageNumber}`;
    this.webSocket.send(
      JSON.stringify({
        msg_id: msgId,
        from_client_id: envelope.fromClientId ?? this.clientId,
        to_client_id: envelope.toClientId ?? 'all',
        msg_type: envelope.msgType ?? 'text',
        content: envelope.content ?? '',
        timestamp: envelope.timestamp ?? 1,
        oss_key: envelope.ossKey ?? null,
      }),
    );
    return msgId;
  }

  /** The first frame, already here or still to come, that fits; it is taken out of `received`. */
  next(fits: (envelope: Envelope) => boolean = () => true): Promise<Envelope> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`${this.clientId} got nothing that fits; it has ${JSON.stringify(this.received)}`));
      }, PATIENCE_MS);
      const check = (): void => {
        const index = this.received.findIndex(fits);
        if (index === -1) return;
        this.#waiting.delete(check);
        clearTimeout(timer);
        resolve(this.received.splice(index, 1)[0] as Envelope);
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** Waits until the hub has handled everything sent so far: it answers a list request in its turn. */
  async settled(): Promise<void> {
    this.send({ msgType: 'list_clients', toClientId: 'server', content: {} });
    await this.next((envelope) => envelope.msgType === 'list_clients_response');
  }

  async close(): Promise<void> {
    this.webSocket.terminate();
    await this.ended;
  }
}

/** How an upgrade that must not succeed was answered: the HTTP status, or the error of the socket. */
export function refusedUpgrade(url: string, options: ClientOptions = {}): Promise<number | string> {
  return new Promise((resolve, reject) => {
    const webSocket = new WebSocket(url, { handshakeTimeout: PATIENCE_MS, ...options });
    webSocket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    webSocket.once('unexpected-response', (_request, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
      webSocket.terminate();
    });
    webSocket.once('open', () => {
      webSocket.terminate();
      reject(new Error('The upgrade was accepted.'));
    });
  });
}
