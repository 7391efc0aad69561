import { CrossCommError, SERVER_ID, listRequestContent, type AttachmentType } from '../protocol/index.js';
import type { ClientFiles } from './client-files.js';
import { ClientListRequests } from './client-list-requests.js';
import { resolveClientOptions, type ClientOptions, type ClientSettings } from './client.options.js';
import type { ClientPlatform } from './client-platform.js';
import { ProblemReporter } from './client-problem.js';
import type { ClientStatus } from './client-status.js';
import type { CallOptions } from './deadline.js';
import { Drain } from './drain.js';
import { FrameWriter, type FrameContent } from './frame-writer.js';
import { Groups } from './groups.js';
import { Inbox } from './inbox.js';
import { MailReceiver, type MailRecovery } from './mail-receiver.js';
import { MessageHandlers } from './message-handlers.js';
import { PendingCalls } from './pending-calls.js';
import { PresenceWatches } from './presence-watches.js';
import { ReconnectingConnection } from './reconnecting-connection.js';
import { RequestHandlers } from './request-handlers.js';
import { Requests } from './requests.js';
import type { DeliveryPlan, SentMessage } from './send-message.js';
import { Sender } from './sender.js';
import type { Session } from './session.js';
import { Subscribers } from './subscribers.js';
import { TokenRefresh } from './token-refresh.js';
import { Transfers } from './transfers.js';
import { webSocketTransport } from './transports/web-socket.transport.js';

/** Time the hub has to answer the last durable messages before a logout. */
const LOGOUT_TIMEOUT_MS = 5_000;

/** The parts of a client, made for each other, and what happens in them when the connection comes and goes. */
export class ClientCore<Files extends ClientFiles> {
  // "declare" only keeps their names from being written once more into the browser's bundle
  declare readonly settings: ClientSettings;
  declare readonly connection: ReconnectingConnection;
  declare readonly sender: Sender;
  declare readonly handlers: MessageHandlers;
  declare readonly problems: ProblemReporter;
  declare readonly lists: ClientListRequests;
  declare readonly drain: Drain;
  declare readonly requests: Requests;
  declare readonly requestHandlers: RequestHandlers;
  declare readonly groups: Groups;
  declare readonly watches: PresenceWatches;
  /** Who waits until the client is online. */
  readonly waiters = new PendingCalls<void>();
  readonly statusHandlers = new Subscribers<[status: ClientStatus]>();
  readonly recoveryHandlers = new Subscribers<[recovery: MailRecovery]>();
  readonly #writer: FrameWriter;
  readonly #mail: MailReceiver;
  readonly #tokens: TokenRefresh;
  readonly #inbox: Inbox;
  readonly #transfers = new Transfers();
  readonly #files: Files;
  #stopping: Promise<void> | undefined;

  /** @throws CrossCommError `CC_INVALID_OPTION`, `CC_INVALID_CLIENT_ID` */
  constructor(options: ClientOptions, platform: ClientPlatform<Files>) {
    const settings = resolveClientOptions(options, () => platform.defaultClientId());
    this.settings = settings;
    this.#writer = new FrameWriter(settings.clientId, settings.clock);
    this.problems = new ProblemReporter(settings.logger);
    const { report } = this.problems;
    const openTransport = options.webSocket ? webSocketTransport(options.webSocket) : platform.openTransport;
    this.lists = new ClientListRequests((onlyShowOnline) =>
      this.#control({ msgType: 'list_clients', toClientId: SERVER_ID, content: listRequestContent(onlyShowOnline) }),
    );
    this.connection = new ReconnectingConnection(
      { settings, writer: this.#writer, openTransport, announcement: () => ({ resume: this.#mail.position, will: settings.will }) },
      {
        onStatus: (status) => this.#statusChanged(status),
        onOnline: (session) => this.#online(session),
        onEnvelope: (envelope) => this.#inbox.receive(envelope),
        onBadFrame: (error) => report({ kind: 'frame', error }),
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
    const send = (content: FrameContent): string => this.#sendNow(content);
    this.requests = new Requests({ online: () => this.connection.online, send, report });
    this.requestHandlers = new RequestHandlers({ maxRunning: settings.inboundMaxMessages, send, report });
    this.groups = new Groups(this.requests);
    this.#tokens = new TokenRefresh(settings.token, this.requests, report);
    this.watches = new PresenceWatches(this.requests, report);
    this.#inbox = new Inbox(this, {
      mail: this.#mail,
      report,
      download: ({ ossKey, msgType }, directory) =>
        this.transfer({}, (files, signal) => files.download({ ossKey: ossKey ?? '', directory, signal, msgType: msgType as AttachmentType })),
    });
    this.#files = platform.createFiles({
      clientId: settings.clientId,
      features: () => this.connection.online?.welcome?.features,
      url: () => this.connection.url,
      request: this.requests.hub,
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

  /** @throws CrossCommError `CC_NOT_CONNECTED`, `CC_TOO_LARGE` */
  #sendNow(content: FrameContent): string {
    const { msgId, frame } = this.#writer.write(content);
    const { online } = this.connection;
    const problem = online?.sizeProblem(frame);
    if (problem) throw problem;
    if (!online?.send(frame)) throw new CrossCommError('CC_NOT_CONNECTED');
    return msgId;
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
    this.#tokens.begin(session.welcome?.expiresInMs);
    this.sender.sessionChanged(session, (msg_ids) => this.requests.renew('delivery.resend', { msg_ids }));
    this.groups.renew();
    this.watches.renew();
    if (mail) this.recoveryHandlers.call([{ recovered: mail.recovered, pending: mail.pending }], this.#handlerFailed('onRecovery'));
  }

  #lost(error: CrossCommError): void {
    const lost = new CrossCommError('CC_NOT_CONNECTED', { detail: 'The connection was lost.', cause: error });
    this.#tokens.begin();
    this.sender.sessionLost();
    this.#mail.sessionLost();
    this.lists.failAll(lost);
    this.requests.failAll(lost);
    this.requestHandlers.abortAll();
    this.watches.sessionLost();
  }

  #statusChanged(status: ClientStatus): void {
    if (status.state === 'closed') {
      const reason = status.reason ?? new CrossCommError('CC_CLOSED');
      this.sender.closed(reason);
      this.#transfers.abortAll(reason);
      this.#files.close?.();
      this.#inbox.clear();
      this.groups.clear();
      this.watches.clear();
      this.waiters.rejectAll(reason);
    }
    if (status.state === 'online') this.waiters.resolveAll();
    this.statusHandlers.call([status], (error) => this.problems.report({ kind: 'status', error }));
  }

  #handlerFailed(handler: string): (error: unknown) => void {
    return (error) => this.problems.report({ kind: 'handler', error, handler });
  }
}
