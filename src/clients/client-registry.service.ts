import { Injectable } from '@nestjs/common';
import { Subject, type Observable } from 'rxjs';
import type { WireClient } from '../protocol/index.js';
import type { ClientEvent, LeaveReason } from './client-event.js';
import { ClientsOptions } from './clients.options.js';
import { ConnectedClient } from './connected-client.js';
import type { Connection } from './connection.js';
import { PresenceStore, type PresenceRecord } from './presence-store.js';

/** What is known of one client, online or not. Times in Unix seconds. */
export interface ClientInfo {
  readonly clientId: string;
  readonly status: 'online' | 'offline';
  readonly lastHeartbeat: number;
  /** 0 for clients of an earlier run. */
  readonly loginTime: number;
  /** Undefined for clients of an earlier run. */
  readonly remoteAddress: string | undefined;
  readonly transport: string | undefined;
}

/**
 * Who is here. The one truth about who is online: lists, delivery and presence all ask this class.
 * A client that was once seen stays listed as offline, over restarts too.
 */
@Injectable()
export class ClientRegistry {
  readonly #online = new Map<string, ConnectedClient>();
  readonly #offline = new Map<string, ClientInfo>();
  readonly #awaitingLogin = new Set<Connection>();
  readonly #events = new Subject<ClientEvent>();

  /** Clients that join and leave, as it happens. */
  readonly events: Observable<ClientEvent> = this.#events.asObservable();

  constructor(
    private readonly options: ClientsOptions,
    private readonly store: PresenceStore,
  ) {}

  /** Reads the clients of earlier runs; all of them are offline now. */
  async restore(): Promise<void> {
    const records = [...(await this.store.load())].sort(([, a], [, b]) => a.lastSeen - b.lastSeen);
    for (const [clientId, { lastSeen }] of records) {
      if (this.#online.has(clientId)) continue;
      this.#rememberOffline({ clientId, status: 'offline', lastHeartbeat: lastSeen, loginTime: 0, remoteAddress: undefined, transport: undefined });
    }
  }

  /** The online client with this id. */
  find(clientId: string): ConnectedClient | undefined {
    return this.#online.get(clientId);
  }

  /** What is known of this client; undefined when it was never seen, or is forgotten. */
  info(clientId: string): ClientInfo | undefined {
    const client = this.#online.get(clientId);
    return client === undefined ? this.#offline.get(clientId) : describe(client);
  }

  /** All online clients, in the order of their logins. */
  online(): IterableIterator<ConnectedClient> {
    return this.#online.values();
  }

  get onlineCount(): number {
    return this.#online.size;
  }

  /** Connections that are open but not logged in. */
  awaitingLogin(): IterableIterator<Connection> {
    return this.#awaitingLogin.values();
  }

  /** Notes a new connection, whose login is awaited from now on. */
  opened(connection: Connection): void {
    this.#awaitingLogin.add(connection);
  }

  /**
   * Binds an id to a connection. A connection that held another id gives that one up.
   * @returns the connection that held this id until now, for the caller to close
   */
  login(clientId: string, connection: Connection): Connection | undefined {
    if (connection.client !== undefined && connection.client.clientId !== clientId) this.logout(connection);
    const previous = this.#online.get(clientId)?.connection;
    const replaced = previous === connection ? undefined : previous;
    if (replaced !== undefined) replaced.client = undefined;
    const client = new ConnectedClient(clientId, connection);
    connection.client = client;
    this.#awaitingLogin.delete(connection);
    this.#offline.delete(clientId);
    this.#online.set(clientId, client);
    this.#events.next({ type: 'joined', clientId, at: client.loginTime, takeover: replaced !== undefined });
    this.#changed();
    return replaced;
  }

  /** Takes the id from a connection that stays open; a login is awaited again. */
  logout(connection: Connection): void {
    if (!this.#leave(connection, 'logout')) return;
    connection.awaitingLoginSinceMs = performance.now();
    this.#awaitingLogin.add(connection);
  }

  /** Forgets a connection that closed. Does nothing to a newer session with the same id. */
  closed(connection: Connection, reason: LeaveReason): void {
    this.#awaitingLogin.delete(connection);
    this.#leave(connection, reason);
  }

  /** Everything known, online clients first, each part in the order of arrival. */
  list(onlyOnline: boolean): ClientInfo[] {
    const clients = [...this.#online.values()].map(describe);
    return onlyOnline ? clients : [...clients, ...this.#offline.values()];
  }

  /** The same as it travels in `list_clients_response`. */
  wireList(onlyOnline: boolean): WireClient[] {
    return this.list(onlyOnline).map((client) => ({
      client_id: client.clientId,
      status: client.status,
      last_heartbeat: client.lastHeartbeat,
      login_time: client.loginTime,
    }));
  }

  /** Writes what is still unwritten. */
  flush(): Promise<void> {
    return this.store.flush();
  }

  #leave(connection: Connection, reason: LeaveReason): boolean {
    const clientId = connection.client?.clientId;
    if (clientId === undefined) return false;
    connection.client = undefined;
    const client = this.#online.get(clientId);
    // fencing: only the connection that holds the id may take it offline
    if (client?.connection !== connection) return false;
    this.#online.delete(client.clientId);
    this.#rememberOffline({ ...describe(client), status: 'offline' });
    this.#events.next({ type: 'left', clientId: client.clientId, at: Date.now() / 1000, reason });
    this.#changed();
    return true;
  }

  #rememberOffline(client: ClientInfo): void {
    this.#offline.delete(client.clientId);
    this.#offline.set(client.clientId, client);
    if (this.#offline.size <= this.options.maxRememberedClients) return;
    const [oldest] = this.#offline.keys();
    if (oldest !== undefined) this.#offline.delete(oldest);
  }

  #changed(): void {
    this.store.changed(() => this.#records());
  }

  *#records(): Generator<readonly [string, PresenceRecord]> {
    for (const client of this.#online.values()) yield [client.clientId, { status: 'online', lastSeen: client.lastHeartbeat }];
    for (const client of this.#offline.values()) yield [client.clientId, { status: 'offline', lastSeen: client.lastHeartbeat }];
  }
}

function describe(client: ConnectedClient): ClientInfo {
  const { clientId, lastHeartbeat, loginTime, remoteAddress, transport } = client;
  return { clientId, status: 'online', lastHeartbeat, loginTime, remoteAddress, transport };
}
