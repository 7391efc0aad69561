import { randomBytes, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { onCleanUp } from '../../support/clean-up.js';
import { pythonDumps } from './python-json.js';

interface Entry {
  socket: WebSocket;
  lastHeartbeat: number;
  status: 'online' | 'offline';
  loginTime: number;
}

export interface Wire {
  readonly msg_id: string;
  readonly from_client_id: string;
  readonly to_client_id: string;
  readonly msg_type: string;
  readonly content: unknown;
  readonly timestamp: number;
  readonly oss_key: string | null;
}

const KEYS = new Set(['msg_id', 'from_client_id', 'to_client_id', 'msg_type', 'content', 'timestamp', 'oss_key']);
const LIMIT = 1_048_576;

/**
 * The pywayne `cross_comm` server, its faults included: no validation, no identities, silence towards whoever errs,
 * a closing predecessor that takes the new session offline, messages written anew in Python's spelling.
 */
export class PythonServer {
  /** Every frame the server read, in order. */
  readonly received: Wire[] = [];
  readonly dropped: string[] = [];
  readonly sockets = new Set<WebSocket>();
  /** Whether logins are answered; some odd servers do not. */
  answersLogin = true;
  readonly #entries = new Map<string, Entry>();
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(port = 0): Promise<PythonServer> {
    const server = new WebSocketServer({ port, host: '127.0.0.1', maxPayload: LIMIT });
    await new Promise((resolve) => server.once('listening', resolve));
    const python = new PythonServer(server);
    onCleanUp(() => python.stop());
    return python;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  isOnline(id: string): boolean {
    return this.#entries.get(id)?.status === 'online';
  }

  /** All frames of a type. */
  of(msgType: string): Wire[] {
    return this.received.filter((frame) => frame.msg_type === msgType);
  }

  /** Ends like a killed process: every socket is cut. */
  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Sends a frame to a client whether or not that makes sense. */
  inject(id: string, frame: Partial<Wire> | string): void {
    const text = typeof frame === 'string' ? frame : this.#frame({ to_client_id: id, ...frame });
    this.#entries.get(id)?.socket.send(text);
  }

  #serve(socket: WebSocket): void {
    this.sockets.add(socket);
    let bound: string | undefined;
    socket.on('error', () => undefined); // too large a message; ws closes with 1009
    socket.on('message', (data) => {
      let frame: Wire;
      try {
        frame = JSON.parse((data as Buffer).toString()) as Wire;
        if (Object.keys(frame).some((key) => !KEYS.has(key))) throw new TypeError('unexpected keyword argument');
      } catch (error) {
        this.dropped.push(String(error));
        return;
      }
      this.received.push(frame);
      switch (frame.msg_type) {
        case 'login':
          bound = frame.from_client_id;
          this.#entries.set(bound, { socket, lastHeartbeat: now(), status: 'online', loginTime: now() });
          if (this.answersLogin)
            socket.send(this.#frame({ to_client_id: bound, msg_type: 'login_response', content: { status: 'success' } }));
          break;
        case 'heartbeat': {
          const entry = bound === undefined ? undefined : this.#entries.get(bound);
          if (entry !== undefined) entry.lastHeartbeat = now();
          break;
        }
        case 'logout':
          this.#offline(bound);
          break;
        case 'list_clients':
          this.#list(socket, frame);
          break;
        default:
          this.#forward(frame);
      }
    });
    // also when a newer socket has logged in with the same id meanwhile (wire facts 5.8)
    socket.on('close', () => {
      this.sockets.delete(socket);
      this.#offline(bound);
    });
  }

  #forward(frame: Wire): void {
    const text = pythonDumps({ ...frame, oss_key: frame.oss_key ?? null });
    for (const [id, { socket, status }] of this.#entries) {
      const isMeant = frame.to_client_id === 'all' ? id !== frame.from_client_id : id === frame.to_client_id;
      if (isMeant && status === 'online') socket.send(text);
    }
  }

  #list(socket: WebSocket, { from_client_id, content }: Wire): void {
    let onlyShowOnline: unknown = false;
    try {
      const request: unknown = typeof content === 'string' ? JSON.parse(content) : content;
      onlyShowOnline = (request as { only_show_online?: unknown }).only_show_online ?? false;
    } catch {
      // the full list
    }
    const clients = [...this.#entries]
      .map(([client_id, { lastHeartbeat, loginTime }]) => {
        const status = now() - lastHeartbeat <= 60 ? 'online' : 'offline';
        return { client_id, status, last_heartbeat: lastHeartbeat, login_time: loginTime };
      })
      .filter(({ status }) => onlyShowOnline !== true || status === 'online');
    const list = pythonDumps({ clients, total_count: clients.length, only_show_online: onlyShowOnline });
    const msg_id = randomUUID();
    socket.send(this.#frame({ msg_id, to_client_id: from_client_id, msg_type: 'list_clients_response', content: list }));
  }

  #offline(id: string | undefined): void {
    const entry = id === undefined ? undefined : this.#entries.get(id);
    if (entry !== undefined) entry.status = 'offline';
  }

  #frame(frame: Partial<Wire>): string {
    const msg_id = `02fc00000001_0b107347_${Date.now()}_${randomBytes(4).toString('hex')}`;
    const empty = { msg_id, from_client_id: 'server', to_client_id: '', msg_type: 'text', content: '', timestamp: now(), oss_key: null };
    return pythonDumps({ ...empty, ...frame });
  }
}

function now(): number {
  return Date.now() / 1000;
}
