import {
  BROADCAST_ID,
  CrossCommError,
  SERVER_ID,
  isAttachmentType,
  listRequestContent,
  type CommMsgType,
  type Message,
  type MessageListenerOptions,
} from '../protocol/index.js';
import type { ClientFiles } from './client-files.js';
import { ClientListRequests, type ClientList, type ListClientsOptions } from './client-list-requests.js';
import { resolveClientOptions, type ClientOptions, type ClientSettings } from './client.options.js';
import type { ClientPlatform } from './client-platform.js';
import { ProblemReporter, type ProblemHandler } from './client-problem.js';
import type { ClientStatus } from './client-status.js';
import type { CallOptions } from './deadline.js';
import { FrameWriter, type FrameContent } from './frame-writer.js';
import { Inbox } from './inbox.js';
import { MessageHandlers, functionHandler, handlersOf } from './message-handlers.js';
import { PendingCalls } from './pending-calls.js';
import { ReconnectingConnection } from './reconnecting-connection.js';
import { assertSendable, wireContent, type SendOptions, type SentMessage } from './send-message.js';
import { Sender } from './sender.js';
import { Subscribers } from './subscribers.js';
import { Transfers } from './transfers.js';
import { webSocketTransport } from './transports/web-socket.transport.js';

/** Options of `login()`. */
export interface LoginOptions extends CallOptions {
  /** Goes on trying, by the rules of `reconnect`, when the hub cannot be reached. Default false: `login()` fails. */
  readonly keepTrying?: boolean;
}

/** Time a `request` waits for its answer unless told otherwise. */
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * A client of a CrossComm hub or of a pywayne `cross_comm` server. Use the `CrossCommClient` of `cross-comm/sdk`,
 * which brings the platform with it; this class is its part that knows no platform.
 */
export class CrossCommClient<Files extends ClientFiles = ClientFiles> {
  readonly #settings: ClientSettings;
  readonly #writer: FrameWriter;
  readonly #connection: ReconnectingConnection;
  readonly #sender: Sender;
  readonly #handlers = new MessageHandlers();
  readonly #problems: ProblemReporter;
  readonly #inbox: Inbox;
  readonly #lists: ClientListRequests;
  /** By message id. */
  readonly #requests = new PendingCalls<unknown>();
  readonly #transfers = new Transfers();
  /** Who waits until the client is online. */
  readonly #waiters = new PendingCalls<void>();
  readonly #statusHandlers = new Subscribers<[status: ClientStatus]>();
  readonly #files: Files;
  #stopping: Promise<void> | undefined;

  /** @throws CrossCommError `CC_INVALID_OPTION`, `CC_INVALID_CLIENT_ID` */
  constructor(options: ClientOptions, platform: ClientPlatform<Files>) {
    const settings = resolveClientOptions(options, () => platform.defaultClientId());
    this.#settings = settings;
    this.#writer = new FrameWriter(settings.clientId, settings.clock);
    this.#problems = new ProblemReporter(settings.logger);
    const openTransport = options.webSocket === undefined ? platform.openTransport : webSocketTransport(options.webSocket);
    this.#lists = new ClientListRequests((onlyShowOnline) =>
      this.#control({ msgType: 'list_clients', toClientId: SERVER_ID, content: listRequestContent(onlyShowOnline) }),
    );
    this.#connection = new ReconnectingConnection(
      { settings, writer: this.#writer, openTransport },
      {
        onStatus: (status) => this.#statusChanged(status),
        onOnline: (session) => {
          this.#inbox.sessionChanged();
          this.#sender.flush(session);
        },
        onEnvelope: (envelope) => this.#inbox.receive(envelope),
        onBadFrame: (error) => this.#problems.report({ kind: 'frame', error }),
        onLost: (error) => this.#lost(error),
      },
    );
    this.#sender = new Sender(settings, this.#connection);
    this.#inbox = new Inbox({
      settings,
      connection: this.#connection,
      handlers: this.#handlers,
      lists: this.#lists,
      requests: this.#requests,
      report: (problem) => this.#problems.report(problem),
      download: ({ ossKey, msgType }, directory) =>
        this.transfer({}, (files, signal) =>
          files.download({ ossKey: ossKey ?? '', directory, signal, msgType: isAttachmentType(msgType) ? msgType : undefined }),
        ),
    });
    this.#files = platform.createFiles({
      clientId: settings.clientId,
      features: () => this.#connection.online?.welcome?.features,
      url: () => this.#connection.url,
      request: (action, data, request) => this.#request(action, data, request),
    });
  }

  /** The id this client logs in with. */
  get clientId(): string {
    return this.#settings.clientId;
  }

  get status(): ClientStatus {
    return this.#connection.status;
  }

  /** The hub's name for the login; changes with each one. Undefined when not online or towards a protocol-1 server. */
  get session(): string | undefined {
    return this.#connection.online?.welcome?.session;
  }

  /** 2 or 1 while online, see PROTOCOL.md; undefined otherwise. */
  get protocolVersion(): number | undefined {
    const { online } = this.#connection;
    return online && (online.welcome?.protocol ?? 1);
  }

  /** Bytes of messages that wait for a connection, plus bytes the socket has not passed on to the network. */
  get bufferedBytes(): number {
    return this.#sender.bufferedBytes;
  }

  /**
   * Connects and logs in; resolves when the hub said yes (or, an old server, nothing). Does nothing when online, and
   * waits with the others while a connection is being made.
   *
   * @throws CrossCommError `CC_CONNECT_FAILED`, `CC_LOGIN_REFUSED` or the hub's reason, `CC_TIMEOUT`, `CC_ABORTED`,
   *   `CC_CLOSED` when `logout()` was called meanwhile
   */
  async login(options: LoginOptions = {}): Promise<void> {
    await this.#stopping;
    const { state } = this.status;
    if (state === 'online') return;
    const isFirst = state === 'idle' || state === 'closed';
    const online = this.#waiters.wait({}, options);
    if (!isFirst) return online;
    // an aborted signal has settled it already
    if (!options.signal?.aborted) this.#connection.start(options.keepTrying ?? false);
    try {
      await online;
    } catch (error) {
      // the caller gave up: what was begun for it ends with it
      if (this.status.state !== 'closed') await this.#stop(CrossCommError.from(error));
      throw error;
    }
  }

  /**
   * Says goodbye, after everything sent before, and closes; no reconnect. Messages that still wait for a connection
   * fail with `CC_CLOSED`, running uploads and downloads end. Afterwards `login()` may be called again.
   */
  async logout(): Promise<void> {
    this.#transfers.abortAll(new CrossCommError('CC_CLOSED'));
    await this.#stop();
  }

  /**
   * Sends a message; the arguments stand in the order of the Python client. Resolves when the message was handed to a
   * live connection; that is no proof of delivery. While the connection is being made anew it waits, in order.
   *
   * `text` takes anything (`String(x)`), `json` a JSON string or a value, `dict` a JSON value, `bytes` a `Uint8Array`,
   * `ArrayBuffer` or base64 string. `file`, `image` and `folder` take a path (in a browser a Blob or File, and no folder),
   * are uploaded first and sent afterwards, possibly behind messages sent later; unlike with the Python client nothing is sent when that
   * fails.
   *
   * @param toClientId a client's id, or `"all"` for everyone else
   * @throws CrossCommError `CC_INVALID_CONTENT`, `CC_INVALID_CLIENT_ID`, `CC_UNKNOWN_TYPE`, `CC_TYPE_NOT_ALLOWED`,
   *   `CC_TOO_LARGE`, `CC_QUEUE_FULL`, `CC_NOT_CONNECTED` before `login()`, `CC_CLOSED` after `logout()`, `CC_TIMEOUT`,
   *   `CC_ABORTED`, the reason the client gave up for; for files also `CC_FILE_NOT_FOUND`, `CC_STORAGE_*`,
   *   `CC_UNSUPPORTED`, `CC_CHECKSUM_MISMATCH`
   */
  // oxlint-disable-next-line max-params -- Python's argument order is the API
  async sendMessage(content: unknown, msgType: CommMsgType, toClientId: string = BROADCAST_ID, options: SendOptions = {}): Promise<SentMessage> {
    assertSendable(msgType, toClientId);
    if (!isAttachmentType(msgType))
      return this.#sender.send(this.#writer.write({ msgType, toClientId, content: wireContent(msgType, content) }), options);
    return this.transfer(options, async (files, signal) => {
      this.#sender.assertOpen();
      if (this.status.state !== 'online') await this.#waiters.wait({}, { signal });
      const { onProgress } = options;
      const uploaded = await files.upload({ msgType, source: content, signal, ...(onProgress && { onProgress }) });
      return this.#sender.send(this.#writer.write({ msgType, toClientId, ...uploaded }), { signal });
    });
  }

  /**
   * Registers a function for messages; without types it gets all that users send. One sender's messages come one
   * after another: the next waits until all handlers of the last are done.
   * @returns unregisters it
   * @throws CrossCommError `CC_INVALID_LISTENER`
   */
  onMessage<Content = unknown>(
    filter: MessageListenerOptions | CommMsgType | readonly CommMsgType[],
    handler: (message: Message<Content>) => unknown,
  ): () => void {
    return this.#handlers.add([functionHandler(filter, handler as (message: Message) => unknown)]);
  }

  /**
   * Registers all `@MessageListener` methods of an object, inherited ones included.
   * @returns unregisters them
   * @throws CrossCommError `CC_INVALID_LISTENER` when it has none
   */
  registerListeners(instance: object): () => void {
    return this.#handlers.add(handlersOf(instance));
  }

  /** Calls `handler` with each new status. @returns unregisters it */
  onStatus(handler: (status: ClientStatus) => void): () => void {
    return this.#statusHandlers.add(handler);
  }

  /** Calls `handler` with what went wrong outside of any call; without a handler it is logged. @returns unregisters it */
  onError(handler: ProblemHandler): () => void {
    return this.#problems.add(handler);
  }

  /**
   * Asks the server for its clients.
   * @throws CrossCommError `CC_NOT_CONNECTED`, `CC_TIMEOUT` (default 5,000 ms), `CC_ABORTED`
   */
  listClients(options: ListClientsOptions = {}): Promise<ClientList> {
    return this.#lists.request(options);
  }

  /** Moves files; ends with the caller's signal or time, or with the client. */
  protected transfer<Result>(options: CallOptions, work: (files: Files, signal: AbortSignal) => Promise<Result>): Promise<Result> {
    return this.#transfers.run(options, (signal) => work(this.#files, signal));
  }

  async #request(action: string, data: unknown, options: CallOptions = {}): Promise<unknown> {
    const { online } = this.#connection;
    if (online && !online.welcome?.features.includes('requests')) throw new CrossCommError('CC_UNSUPPORTED', 'This server takes no requests.');
    const msgId = this.#control({ msgType: 'request', toClientId: SERVER_ID, content: { action, data } });
    if (!msgId) throw new CrossCommError('CC_NOT_CONNECTED');
    return this.#requests.wait(msgId, { timeoutMs: REQUEST_TIMEOUT_MS, ...options });
  }

  /** Sends a frame that must not wait; returns its id, or nothing when there is no connection. */
  #control(content: FrameContent): string | undefined {
    const { msgId, frame } = this.#writer.write(content);
    return this.#connection.online?.send(frame) ? msgId : undefined;
  }

  #stop(reason?: CrossCommError): Promise<void> {
    this.#stopping ??= this.#connection.stop(reason).finally(() => (this.#stopping = undefined));
    return this.#stopping;
  }

  #lost(error: CrossCommError): void {
    const lost = new CrossCommError('CC_NOT_CONNECTED', { detail: 'The connection was lost.', cause: error });
    this.#lists.failAll(lost);
    this.#requests.rejectAll(lost);
  }

  #statusChanged(status: ClientStatus): void {
    if (status.state === 'closed') {
      const reason = status.reason ?? new CrossCommError('CC_CLOSED');
      this.#sender.closed(reason);
      this.#transfers.abortAll(reason);
      this.#files.close?.();
      this.#inbox.clear();
      this.#waiters.rejectAll(reason);
    }
    if (status.state === 'online') this.#waiters.resolveAll();
    this.#statusHandlers.call([status], (error) => this.#problems.report({ kind: 'status', error }));
  }
}
