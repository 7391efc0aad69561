import { Injectable, Logger } from '@nestjs/common';
import { sendError, sendResponse, type ConnectedClient, type Connection } from '../clients/index.js';
import { RequestRouter, type PendingRequest } from '../delivery/index.js';
import { RequestHandlerRegistry } from '../listeners/index.js';
import { CrossCommError, PeerAction, SERVER_ID, parseRequest, type Envelope, type RequestContent } from '../protocol/index.js';
import { Refusals } from '../security/index.js';
import { AccessControl } from './access-control.js';
import { handlerError } from './handler-error.js';

/** Who asked for an action. */
export interface Asker {
  /** The id it is logged in with. */
  readonly clientId: string;
  readonly connection: Connection;
}

/** Carries an action out. What it returns, or a promise of it brings, is the answer; what it throws is the error. */
export type HubAction = (data: unknown, asker: Asker) => unknown;

/**
 * The actions that clients may ask the hub for, by name; those who offer them add them. All other names are for the
 * `@RequestHandler` methods of the application.
 */
@Injectable()
export class HubActions {
  readonly #logger = new Logger(HubActions.name);
  readonly #actions = new Map<string, HubAction>();

  constructor(
    private readonly handlers: RequestHandlerRegistry,
    private readonly router: RequestRouter,
    private readonly access: AccessControl,
    private readonly refusals: Refusals,
  ) {
    this.add(PeerAction.PING, () => null);
  }

  add(name: string, action: HubAction): void {
    this.#actions.set(name, action);
    this.handlers.reserve(name);
  }

  /**
   * Answers a request to the hub: exactly one `response` or `error`, unless the client takes it back or leaves. Actions
   * that take no time are answered at once, so before anything that happens after them. Never throws.
   */
  answer(connection: Connection, envelope: Envelope): void {
    const { fromClientId: clientId, content, msgId } = envelope;
    try {
      const { action, data } = parseRequest(content);
      this.access.assertMayRequest(connection, SERVER_ID, action);
      const run = this.#actions.get(action);
      if (run === undefined) {
        this.#handle(connection, envelope, { action, data });
        return;
      }
      const answer = run(data, { clientId, connection });
      if (answer instanceof Promise) void this.#later(connection, msgId, answer);
      else sendResponse(connection, msgId, answer);
    } catch (error) {
      this.#fail(connection, msgId, error);
    }
  }

  async #later(connection: Connection, msgId: string, answer: Promise<unknown>): Promise<void> {
    try {
      sendResponse(connection, msgId, await answer);
    } catch (error) {
      this.#fail(connection, msgId, error);
    }
  }

  #fail(connection: Connection, msgId: string, error: unknown): void {
    const coded = CrossCommError.from(error);
    // who throws it without a cause has logged it
    if (coded.code === 'CC_INTERNAL' && coded.cause !== undefined) this.#logger.error(`An action failed: ${coded.message}`, coded.cause);
    this.refusals.countCode(coded.code);
    sendError(connection, coded, msgId);
  }

  /** The handlers are the application's: they may take any time, so their requests can be cancelled and time out. */
  #handle(connection: Connection, envelope: Envelope, { action, data }: RequestContent): void {
    const handle = this.handlers.find(action);
    if (handle === undefined) throw new CrossCommError('CC_UNKNOWN_ACTION', `The action is "${action}".`);
    const cancellation = new AbortController();
    const { fromClientId } = envelope;
    const requester = this.router.requesterAt(connection, fromClientId);
    const responder = { clientId: SERVER_ID, onCancel: () => cancellation.abort(new CrossCommError('CC_ABORTED')) };
    const request = this.router.begin(requester, responder, envelope);
    const { signal } = cancellation;
    const answer = handle.invoke(connection.client as ConnectedClient, data, { fromClientId, action, signal }, action);
    void this.#conclude({ name: handle.name, connection, request, answer });
  }

  async #conclude({ name, connection, request, answer }: HandlerRun): Promise<void> {
    const { msgId } = request;
    let isWanted: boolean | undefined;
    try {
      const result = await answer;
      isWanted = this.router.end(request);
      if (isWanted) sendResponse(connection, msgId, result);
    } catch (error) {
      // a handler that stops because it was told to has not failed
      isWanted ??= this.router.end(request);
      if (!isWanted) return;
      const { coded, isExpected } = handlerError(error);
      if (!isExpected) this.#logger.error(`The request handler ${name} failed.`, error);
      sendError(connection, coded, msgId);
    }
  }
}

/** A handler at work. */
interface HandlerRun {
  readonly name: string;
  readonly connection: Connection;
  readonly request: PendingRequest;
  readonly answer: Promise<unknown>;
}
