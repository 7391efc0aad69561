import { CrossCommError, SERVER_ID, isAttachmentType, listRequestContent } from '../protocol/index.js';
import type { ClientFiles } from './client-files.js';
import { ClientListRequests } from './client-list-requests.js';
import { resolveClientOptions, type ClientOptions, type ClientSettings } from './client.options.js';
import type { ClientPlatform } from './client-platform.js';
import { ProblemReporter } from './client-problem.js';
import type { ClientStatus } from './client-status.js';
import type { CallOptions } from './deadline.js';
import { Drain } from './drain.js';
import { FrameWriter, type FrameContent } from './frame-writer.js';
import { Inbox } from './inbox.js';
import { MailReceiver, type MailRecovery } from './mail-receiver.js';
import { MessageHandlers } from './message-handlers.js';
import { PendingCalls } from './pending-calls.js';
import { ReconnectingConnection } from './reconnecting-connection.js';
import type { DeliveryPlan, SentMessage } from './send-message.js';
import { Sender } from './sender.js';
import type { Session } from './session.js';
import { Subscribers } from './subscribers.js';
import { Transfers } from './transfers.js';
import { webSocketTransport } from './transports/web-socket.transport.js';

/** Time a request waits for its answer unless told otherwise. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Time the hub has to answer the last durable messages before a logout. */
const LOGOUT_TIMEOUT_MS = 5_000;

/** The parts of a client, made for each other, and what happens in them when the connection comes and goes. */
export class ClientCore<Files extends ClientFiles> {
  readonly settings: ClientSettings;
  readonly connection: ReconnectingConnection;
  readonly sender: Sender;
  readonly handlers: MessageHandlers;
  readonly problems: ProblemReporter;
  readonly lists: ClientListRequests;
  readonly drain: Drain;
  /** Who waits until the client is online. */
  readonly waiters = new PendingCalls<void>();
  readonly statusHandlers = new Subscribers<[status: ClientStatus]>();
  readonly recoveryHandlers = new Subscribers<[recovery: MailRecovery]>();
  readonly #writer: FrameWriter;
  readonly #mail: MailReceiver;
  readonly #inbox: Inbox;
  /** By message id. */
  readonly #requests = new PendingCalls<unknown>();
  readonly #transfers = new Transfers();
  readonly #files: Files;
  #stopping: Promise<void> | undefined;

  /** @throws CrossCommError `CC_INVALID_OPTION`, `CC_INVALID_CLIENT_ID` */
  constructor(options: ClientOptions, platform: ClientPlatform<Files>) {
    const settings = resolveClientOptions(options, () => platform.defaultClientId());
    this.settings = settings;
    this.#writer = new FrameWriter(settings.clientId, settings.clock);
    this.problems = new ProblemReporter(settings.logger);
    const openTransport = options.webSocket === undefined ? platform.openTransport : webSocketTransport(options.webSocket);
    this.lists = new ClientListRequests((onlyShowOnline) =>
      this.#control({ msgType: 'list_clients', toClientId: SERVER_ID, content: listRequestContent(onlyShowOnline) }),
    );
    this.connection = new ReconnectingConnection(
      { settings, writer: this.#writer, openTransport, announcement: () => ({ resume: this.#mail.position, will: settings.will }) },
      {
        onStatus: (status) => this.#statusChanged(status),
        onOnline: (session) => this.#online(session),
        onEnvelope: (envelope) => this.#inbox.receive(envelope),
        onBadFrame: (error) => this.problems.report({ kind: 'frame', error }),
        onLost: (error) => this.#lost(error),
      },
    );
    this.sender = new Sender(settings, this.connection);
    this.drain = new Drain(settings.queueMaxBytes / 2, () => this.sender.bufferedBytes, this.#handlerFailed('onDrain'));
    this.#mail = new MailReceiver({
      nextTurn: (run) => platform.nextTurn(run),
      confirm: (content) => this.#control({ msgType: 'confirm', toClientId: SERVER_ID, content }),
    });
    // in a later turn: whoever registers several handlers one after another gets the mail in all of them
    this.handlers = new MessageHandlers(() => platform.nextTurn(() => this.#inbox.surfaceEarly()));
    this.#inbox = new Inbox({
      settings,
      connection: this.connection,
      handlers: this.handlers,
      lists: this.lists,
      requests: this.#requests,
      sender: this.sender,
      mail: this.#mail,
      report: (problem) => this.problems.report(problem),
      download: ({ ossKey, msgType }, directory) =>
        this.transfer({}, (files, signal) =>
          files.download({ ossKey: ossKey ?? '', directory, signal, msgType: isAttachmentType(msgType) ? msgType : undefined }),
        ),
    });
    this.#files = platform.createFiles({
      clientId: settings.clientId,
      features: () => this.connection.online?.welcome?.features,
      url: () => this.connection.url,
      request: (action, data, request) => this.#request(action, data, request),
    });
  }

  /** Resolves when nothing is being stopped any more. */
  get stopped(): Promise<void> | undefined {
    return this.#stopping;
  }

  send(content: FrameContent, plan: DeliveryPlan, options: CallOptions): SentMessage | Promise<SentMessage> {
    const sent = this.sender.send(this.#writer.write(content), plan, options);
    this.drain.watch();
    return sent;
  }

  /** Moves files; ends with the caller's signal or time, or with the client. */
  transfer<Result>(options: CallOptions, work: (files: Files, signal: AbortSignal) => Promise<Result>): Promise<Result> {
    return this.#transfers.run(options, (signal) => work(this.#files, signal));
  }

  /** Ends the client properly. */
  logout(): Promise<void> {
    this.#transfers.abortAll(new CrossCommError('CC_CLOSED'));
    return this.#stop(async () => {
      await this.sender.untilAnswered(LOGOUT_TIMEOUT_MS);
      this.#mail.flush();
      await this.connection.stop();
    });
  }

  /** Cuts the connection for good. */
  giveUp(reason: CrossCommError): Promise<void> {
    return this.#stop(() => this.connection.stop(reason));
  }

  async #request(action: string, data: unknown, options: CallOptions = {}): Promise<unknown> {
    const { online } = this.connection;
    if (online && !online.welcome?.features.includes('requests')) throw new CrossCommError('CC_UNSUPPORTED', 'This server takes no requests.');
    const msgId = this.#control({ msgType: 'request', toClientId: SERVER_ID, content: { action, data } });
    if (!msgId) throw new CrossCommError('CC_NOT_CONNECTED');
    return this.#requests.wait(msgId, { timeoutMs: REQUEST_TIMEOUT_MS, ...options });
  }

  /** Sends a frame that must not wait; returns its id, or nothing when there is no connection. */
  #control(content: FrameContent): string | undefined {
    const { msgId, frame } = this.#writer.write(content);
    return this.connection.online?.send(frame) ? msgId : undefined;
  }

  #stop(stop: () => Promise<void>): Promise<void> {
    this.#stopping ??= stop().finally(() => (this.#stopping = undefined));
    return this.#stopping;
  }

  #online(session: Session): void {
    const mail = session.welcome?.mail;
    this.#mail.sessionChanged(mail);
    this.#inbox.sessionChanged();
    this.sender.sessionChanged(session);
    if (mail) this.recoveryHandlers.call([{ recovered: mail.recovered, pending: mail.pending }], this.#handlerFailed('onRecovery'));
  }

  #lost(error: CrossCommError): void {
    const lost = new CrossCommError('CC_NOT_CONNECTED', { detail: 'The connection was lost.', cause: error });
    this.sender.sessionLost();
    this.#mail.sessionLost();
    this.lists.failAll(lost);
    this.#requests.rejectAll(lost);
  }

  #statusChanged(status: ClientStatus): void {
    if (status.state === 'closed') {
      const reason = status.reason ?? new CrossCommError('CC_CLOSED');
      this.sender.closed(reason);
      this.#transfers.abortAll(reason);
      this.#files.close?.();
      this.#inbox.clear();
      this.waiters.rejectAll(reason);
    }
    if (status.state === 'online') this.waiters.resolveAll();
    this.statusHandlers.call([status], (error) => this.problems.report({ kind: 'status', error }));
  }

  #handlerFailed(handler: string): (error: unknown) => void {
    return (error) => this.problems.report({ kind: 'handler', error, handler });
  }
}
