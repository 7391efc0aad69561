import 'reflect-metadata';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CrossCommModule } from './cross-comm.module.js';
import { CrossCommService } from './gateway/index.js';
import { ListenerRegistry } from './listeners/index.js';
import { CrossCommError, listenerFilter, type Message, type MessageListenerOptions, type UserMessageType } from './protocol/index.js';
import { CrossCommClient, type ClientList } from './sdk/index.node.js';

/** Constructor arguments of pywayne's `CrossCommService`, in TypeScript spelling. */
export interface CrossCommRoleOptions {
  readonly role: 'server' | 'client';
  /** Server: address to listen on (Python: all interfaces). Client: host of the server. Default `localhost`. */
  readonly ip?: string;
  /** Default 9898. */
  readonly port?: number;
  /** Client only. Default `<12 hex MAC>_<8 hex>`. */
  readonly clientId?: string;
  /** **Seconds**, as in Python. Default 30. */
  readonly heartbeatInterval?: number;
  /** **Seconds**, as in Python. Default 60. */
  readonly heartbeatTimeout?: number;
  /** Server only: where presence and files are kept. Default `./cross-comm-data`. */
  readonly dataDir?: string;
}

/**
 * pywayne's `CrossCommService`, method by method, for people who port Python code. It has a name of its own because
 * `CrossCommService` is what Nest applications inject. New code uses `CrossCommModule` or `CrossCommClient`, which
 * tell why something failed; here, as in Python, `login` and `sendMessage` answer true or false, and `lastError` keeps
 * the reason.
 */
export class CrossComm {
  readonly #options: CrossCommRoleOptions;
  readonly #client: CrossCommClient | undefined;
  readonly #listeners: { options: MessageListenerOptions; handler: MessageHandler }[] = [];
  #app: INestApplicationContext | undefined;
  #starting: Promise<void> | undefined;
  #lastError: CrossCommError | undefined;

  /** @throws CrossCommError `CC_INVALID_OPTION`, `CC_INVALID_CLIENT_ID` */
  constructor(options: CrossCommRoleOptions) {
    this.#options = options;
    if (options.role !== 'client') return;
    const { ip, port, clientId, heartbeatInterval } = options;
    this.#client = new CrossCommClient({
      ...(ip === undefined ? {} : { ip }),
      ...(port === undefined ? {} : { port }),
      ...(clientId === undefined ? {} : { clientId }),
      ...(heartbeatInterval === undefined ? {} : { heartbeatIntervalMs: heartbeatInterval * 1000 }),
    });
  }

  /** Why the last `login` or `sendMessage` answered false. */
  get lastError(): CrossCommError | undefined {
    return this.#lastError;
  }

  /** The id of a client; undefined for a server. */
  get clientId(): string | undefined {
    return this.#client?.clientId;
  }

  /** Server: opens the hub; resolves when it accepts. Does nothing more while it runs. */
  async startServer(): Promise<void> {
    if (this.#options.role !== 'server') throw wrongRole('startServer', 'server');
    this.#starting ??= this.#start();
    try {
      await this.#starting;
    } catch (error) {
      this.#starting = undefined;
      throw error;
    }
  }

  async #start(): Promise<void> {
    const { ip, port = 9898, heartbeatInterval, heartbeatTimeout, dataDir } = this.#options;
    this.#app = await NestFactory.createApplicationContext(
      CrossCommModule.forRoot({
        port,
        ...(ip === undefined ? {} : { host: ip }),
        ...(heartbeatInterval === undefined ? {} : { heartbeatInterval }),
        ...(heartbeatTimeout === undefined ? {} : { heartbeatTimeout }),
        ...(dataDir === undefined ? {} : { dataDir }),
      }),
      { abortOnError: false, logger: ['warn', 'error', 'fatal'] },
    );
    for (const listener of this.#listeners) this.#listenOnHub(listener.options, listener.handler);
  }

  /** Client: connects and logs in. */
  login(): Promise<boolean> {
    return this.#attempt(() => this.#asClient('login').login());
  }

  /** Client: logs out and closes. */
  async logout(): Promise<void> {
    await this.#asClient('logout').logout();
  }

  /**
   * Client: sends one message; to everyone by default. True when it was handed over, or, to one client, when the hub has
   * stored it for it; unlike in Python false when there is no such client.
   */
  sendMessage(content: unknown, msgType: UserMessageType, toClientId = 'all'): Promise<boolean> {
    return this.#attempt(() => this.#asClient('sendMessage').sendMessage(content, msgType, toClientId));
  }

  /** Client: fetches a file, or a folder when the key ends with "/"; answers the local path. */
  downloadFileManually(ossKey: string, saveDirectory: string): Promise<string> {
    return this.#asClient('downloadFileManually').downloadFileManually(ossKey, saveDirectory);
  }

  /**
   * Registers a listener: `service.messageListener({ msgType })(async (message) => { ... })`. On a server it sees
   * every message that passes through.
   */
  messageListener(options: MessageListenerOptions = {}): (handler: MessageHandler) => MessageHandler {
    return (handler) => {
      if (this.#client !== undefined) this.#client.onMessage(options, handler);
      else if (this.#app !== undefined) this.#listenOnHub(options, handler);
      else this.#listeners.push({ options, handler });
      return handler;
    };
  }

  /** Server: ids of the clients that are online. */
  getOnlineClients(): string[] {
    if (this.#app === undefined) throw wrongRole('getOnlineClients', 'started server');
    return this.#app.get(CrossCommService).getOnlineClients();
  }

  /** Client: asks the server who is there. `timeout` in **seconds**, as in Python. */
  listClients(onlyShowOnline = false, timeout = 5): Promise<ClientList> {
    return this.#asClient('listClients').listClients({ onlyShowOnline, timeoutMs: timeout * 1000 });
  }

  /** Ends whatever runs. */
  async stop(): Promise<void> {
    await this.#client?.logout();
    // a start that fails is told to who asked for it
    await this.#starting?.catch(() => undefined);
    await this.#app?.close();
    this.#app = this.#starting = undefined;
  }

  #listenOnHub(options: MessageListenerOptions, handler: MessageHandler): void {
    const name = handler.name === '' ? 'messageListener' : handler.name;
    this.#app?.get(ListenerRegistry, { strict: false }).add({
      name,
      filters: [listenerFilter(options, name)],
      invoke: async (_client, message) => handler(message),
    });
  }

  #asClient(method: string): CrossCommClient {
    if (this.#client === undefined) throw wrongRole(method, 'client');
    return this.#client;
  }

  async #attempt(action: () => Promise<unknown>): Promise<boolean> {
    this.#lastError = undefined;
    try {
      await action();
      return true;
    } catch (error) {
      const coded = CrossCommError.from(error);
      // a wrong role is a mistake in the program, in Python too (ValueError)
      if (coded.code === 'CC_UNSUPPORTED' && this.#client === undefined) throw coded;
      this.#lastError = coded;
      return false;
    }
  }
}

/** A listener function of {@link CrossComm.messageListener}. */
export type MessageHandler = (message: Message) => unknown;

function wrongRole(method: string, role: string): CrossCommError {
  return new CrossCommError('CC_UNSUPPORTED', `${method} is for the role ${role}.`);
}
