import { BROADCAST_ID, CrossCommError, isAttachmentType, type CommMsgType, type Message, type MessageListenerOptions } from '../protocol/index.js';
import { ClientCore } from './client-core.js';
import type { ClientFiles } from './client-files.js';
import type { ClientList, ListClientsOptions } from './client-list-requests.js';
import type { ClientOptions } from './client.options.js';
import type { ClientPlatform } from './client-platform.js';
import type { ProblemHandler } from './client-problem.js';
import type { ClientStatus } from './client-status.js';
import type { CallOptions } from './deadline.js';
import type { MailRecovery } from './mail-receiver.js';
import { functionHandler, handlersOf, type ConfirmableMessage } from './message-handlers.js';
import type { GroupMember, JoinedGroup, JoinOptions } from './groups.js';
import type { PresenceHandler, WatchTargets } from './presence-watches.js';
import type { RequestFunction } from './request-handlers.js';
import { assertSendable, deliveryPlan, wireContent, type SendOptions, type SentMessage } from './send-message.js';

/** Which messages a handler gets: options, a type, or several. */
export type MessageFilter = MessageListenerOptions | CommMsgType | readonly CommMsgType[];

/** Options of `login()`. */
export interface LoginOptions extends CallOptions {
  /** Goes on trying, by the rules of `reconnect`, when the hub cannot be reached. Default false: `login()` fails. */
  readonly keepTrying?: boolean;
}

/**
 * A client of a CrossComm hub or of a pywayne `cross_comm` server. Use the `CrossCommClient` of `cross-comm/sdk`,
 * which brings the platform with it; this class is its part that knows no platform.
 */
export class CrossCommClient<Files extends ClientFiles = ClientFiles> {
  readonly #core: ClientCore<Files>;

  /** @throws CrossCommError `CC_INVALID_OPTION`, `CC_INVALID_CLIENT_ID` */
  constructor(options: ClientOptions, platform: ClientPlatform<Files>) {
    this.#core = new ClientCore(options, platform);
  }

  /** The id this client logs in with. */
  get clientId(): string {
    return this.#core.settings.clientId;
  }

  get status(): ClientStatus {
    return this.#core.connection.status;
  }

  /** The hub's name for the login; changes with each one. Undefined when not online or towards a protocol-1 server. */
  get session(): string | undefined {
    return this.#core.connection.online?.welcome?.session;
  }

  /** 2 or 1 while online, see PROTOCOL.md; undefined otherwise. */
  get protocolVersion(): number | undefined {
    const { online } = this.#core.connection;
    return online && (online.welcome?.protocol ?? 1);
  }

  /** Bytes of messages that wait for a connection or for the hub's answer, plus bytes the socket has not passed on to the network. */
  get bufferedBytes(): number {
    return this.#core.sender.bufferedBytes;
  }

  /**
   * Connects and logs in; resolves when the hub said yes (or, an old server, nothing). Does nothing when online, and
   * waits with the others while a connection is being made.
   *
   * @throws CrossCommError `CC_CONNECT_FAILED`, `CC_LOGIN_REFUSED` or the hub's reason, `CC_TIMEOUT`, `CC_ABORTED`,
   *   `CC_CLOSED` when `logout()` was called meanwhile
   */
  async login(options: LoginOptions = {}): Promise<void> {
    if (this.#core.stopped) await this.#core.stopped;
    const { state } = this.status;
    if (state === 'online') return;
    const isFirst = state === 'idle' || state === 'closed';
    const online = this.#core.waiters.wait(options);
    if (!isFirst) return online;
    // an aborted signal has settled it already
    if (!options.signal?.aborted) this.#core.connection.start(options.keepTrying ?? false);
    try {
      await online;
    } catch (error) {
      // the caller gave up: what was begun for it ends with it
      if (this.status.state !== 'closed') await this.#core.giveUp(CrossCommError.from(error));
      throw error;
    }
  }

  /**
   * Says goodbye, after everything sent before, and closes; no reconnect. Waits up to 5 s until the hub has answered the
   * durable messages; those that still wait for a connection or a receipt then fail with `CC_CLOSED`, and running
   * uploads and downloads end. Afterwards `login()` may be called again.
   */
  async logout(): Promise<void> {
    await this.#core.logout();
  }

  /**
   * Sends a message; the arguments stand in the order of the Python client. To a client or group it is durable: this
   * resolves when the hub has stored it, or handed it to a receiver that cannot confirm; until then it is kept, and sent
   * again when the connection was lost. To all, to servers without that, or with `delivery: 'live'` it resolves when
   * the message was handed to a live connection, which is no proof of delivery. While the connection is being made
   * anew messages wait, in order.
   *
   * `text` takes anything (`String(x)`), `json` a JSON string or a value, `dict` a JSON value, `bytes` a `Uint8Array`,
   * `ArrayBuffer` or base64 string. `file`, `image` and `folder` take a path (in a browser a Blob or File, and no folder),
   * are uploaded first and sent afterwards, possibly behind messages sent later; unlike with the Python client nothing is sent when that
   * fails.
   *
   * @param toClientId a client's id, `"group:"` and a name, or `"all"` for everyone else
   * @throws CrossCommError `CC_INVALID_CONTENT`, `CC_INVALID_CLIENT_ID`, `CC_UNKNOWN_TYPE`, `CC_TYPE_NOT_ALLOWED`,
   *   `CC_TOO_LARGE`, `CC_QUEUE_FULL`, `CC_NOT_CONNECTED` before `login()`, `CC_CLOSED` after `logout()`, `CC_TIMEOUT`,
   *   `CC_ABORTED`, the reason the client gave up for; of durable messages the hub's refusals, as `CC_UNKNOWN_CLIENT`,
   *   `CC_MAILBOX_FULL` (`retryAfterMs`), `CC_STORE_*`, `CC_EXPIRED`, `CC_DEAD_LETTER`; for files also `CC_FILE_NOT_FOUND`, `CC_STORAGE_*`,
   *   `CC_UNSUPPORTED`, `CC_CHECKSUM_MISMATCH`
   */
  // oxlint-disable-next-line max-params -- Python's argument order is the API
  async sendMessage(content: unknown, msgType: CommMsgType, toClientId: string = BROADCAST_ID, options: SendOptions = {}): Promise<SentMessage> {
    assertSendable(msgType, toClientId);
    const plan = deliveryPlan(toClientId, options);
    if (!isAttachmentType(msgType)) return this.#core.send({ msgType, toClientId, content: wireContent(msgType, content) }, plan, options);
    const { onProgress, timeoutMs, signal } = options;
    const beganMs = this.#core.settings.clock.now();
    const uploaded = await this.transfer(options, async (files, signal) => {
      this.#core.sender.assertOpen();
      if (this.status.state !== 'online') await this.#core.waiters.wait({ signal });
      return files.upload({ msgType, source: content, signal, ...(onProgress && { onProgress }) });
    });
    const leftMs = timeoutMs && Math.max(0, timeoutMs - (this.#core.settings.clock.now() - beganMs));
    return this.#core.send({ msgType, toClientId, ...uploaded }, plan, { signal, timeoutMs: leftMs });
  }

  /**
   * Registers a function for messages; without types it gets all that users send. One sender's messages come one
   * after another: the next waits until all handlers of the last are done. Then the message is confirmed to the hub,
   * also when a handler failed; durable messages that nobody takes are, too. What comes before there is any handler waits.
   *
   * With `confirm: 'manual'` the handler calls `message.confirm()` or `message.reject()` itself, now or later; until then
   * the hub keeps the message. When it fails before that, the message is rejected. A rejected message comes again later.
   * @returns unregisters it
   * @throws CrossCommError `CC_INVALID_LISTENER`
   */
  onMessage<Content = unknown>(filter: MessageFilter, handler: (message: Message<Content>) => unknown, options?: { readonly confirm?: 'auto' }): () => void;
  onMessage<Content = unknown>(
    filter: MessageFilter,
    handler: (message: ConfirmableMessage<Content>) => unknown,
    options: { readonly confirm: 'manual' },
  ): () => void;
  onMessage(filter: MessageFilter, handler: (message: never) => unknown, { confirm }: { readonly confirm?: 'auto' | 'manual' } = {}): () => void {
    return this.#core.handlers.add([functionHandler(filter, handler as (message: Message) => unknown, confirm === 'manual')]);
  }

  /**
   * Registers all `@MessageListener` and `@RequestHandler` methods of an object, inherited ones included.
   * @returns unregisters them
   * @throws CrossCommError `CC_INVALID_LISTENER` when it has none, or one for an action that has a handler
   */
  registerListeners(instance: object): () => void {
    const { messages, actions } = handlersOf(instance);
    const removeActions = this.#core.requestHandlers.add(actions);
    const removeMessages = messages.length > 0 ? this.#core.handlers.add(messages) : undefined;
    return () => {
      removeActions();
      removeMessages?.();
    };
  }

  /**
   * Asks another client, or the hub (`"server"`), for an action, and resolves with the answer. The other side is told
   * when nobody waits any more.
   * @param data a JSON value
   * @throws CrossCommError `CC_UNKNOWN_CLIENT` (not there, or it left), `CC_UNSUPPORTED`, `CC_NO_HANDLER`,
   *   `CC_HANDLER_FAILED` or what the handler threw, `CC_TIMEOUT` (default 10,000 ms), `CC_ABORTED`, `CC_LIMIT_REACHED`,
   *   `CC_NOT_ALLOWED`, `CC_NOT_CONNECTED` (also when the connection is lost meanwhile: the other side may have done it),
   *   `CC_INVALID_CLIENT_ID`, `CC_INVALID_CONTENT`, `CC_TOO_LARGE`
   */
  async request<Answer = unknown>(toClientId: string, action: string, data?: unknown, options: CallOptions = {}): Promise<Answer> {
    return (await this.#core.requests.request({ to: toClientId, action, data }, options)) as Answer;
  }

  /**
   * Registers the function that answers other clients' requests for an action; what it throws is their error, its text
   * only when it is a `CrossCommError`.
   * @returns unregisters it
   * @throws CrossCommError `CC_INVALID_LISTENER`, also when the action has a handler
   */
  onRequest<Data = unknown>(action: string, handler: RequestFunction<Data>): () => void {
    return this.#core.requestHandlers.add([{ action, call: handler as RequestFunction }]);
  }

  /**
   * Becomes a member of a group; messages to `group:` and its name then come to this client too.
   * @throws CrossCommError `CC_INVALID_CLIENT_ID` for the name, `CC_NOT_ALLOWED`, `CC_LIMIT_REACHED`, `CC_UNSUPPORTED`,
   *   `CC_STORE_*`, `CC_NOT_CONNECTED`, `CC_TIMEOUT`
   */
  join(group: string, options: JoinOptions = {}): Promise<JoinedGroup> {
    return this.#core.groups.join(group, options);
  }

  /** Ends a membership, if there is one. @throws CrossCommError as `join` */
  leave(group: string): Promise<void> {
    return this.#core.groups.leave(group);
  }

  /** Who is in a group, by its name. @throws CrossCommError as `join` */
  members(group: string): Promise<readonly GroupMember[]> {
    return this.#core.groups.members(group);
  }

  /**
   * Watches clients, and groups, as they come and go: `handler` is told how things are before this resolves and after
   * each reconnect, and every change in between.
   * @returns ends the watch
   * @throws CrossCommError `CC_INVALID_CLIENT_ID`, `CC_NOT_ALLOWED`, `CC_LIMIT_REACHED`, `CC_UNSUPPORTED`,
   *   `CC_NOT_CONNECTED`, `CC_TIMEOUT`
   */
  watch(targets: WatchTargets, handler: PresenceHandler): Promise<() => Promise<void>> {
    return this.#core.watches.watch(targets, handler);
  }

  /** Calls `handler` with each new status. @returns unregisters it */
  onStatus(handler: (status: ClientStatus) => void): () => void {
    return this.#core.statusHandlers.add(handler);
  }

  /** Calls `handler` after each login to a hub that keeps mail. @returns unregisters it */
  onRecovery(handler: (recovery: MailRecovery) => void): () => void {
    return this.#core.recoveryHandlers.add(handler);
  }

  /**
   * Calls `handler` when `bufferedBytes` has fallen to half of `queueMaxBytes` after having been above: send on then.
   * @returns unregisters it
   */
  onDrain(handler: () => void): () => void {
    return this.#core.drain.add(handler);
  }

  /** Calls `handler` with what went wrong outside of any call; without a handler it is logged. @returns unregisters it */
  onError(handler: ProblemHandler): () => void {
    return this.#core.problems.add(handler);
  }

  /**
   * Asks the server for its clients.
   * @throws CrossCommError `CC_NOT_CONNECTED`, `CC_TIMEOUT` (default 5,000 ms), `CC_ABORTED`
   */
  listClients(options: ListClientsOptions = {}): Promise<ClientList> {
    return this.#core.lists.request(options);
  }

  /** Moves files; ends with the caller's signal or time, or with the client. */
  protected transfer<Result>(options: CallOptions, work: (files: Files, signal: AbortSignal) => Promise<Result>): Promise<Result> {
    return this.#core.transfer(options, work);
  }
}
