import { Inject, Injectable, Logger } from '@nestjs/common';
import { sendError, sendResponse, type Connection } from '../clients/index.js';
import { CrossCommError, SERVER_ID, parseRequest, type Envelope } from '../protocol/index.js';
import { AccessControl } from './access-control.js';

/** Who asked for an action. */
export interface Asker {
  /** The id it is logged in with. */
  readonly clientId: string;
  readonly connection: Connection;
}

/** Carries an action out. What it returns, or a promise of it brings, is the answer; what it throws is the error. */
export type HubAction = (data: unknown, asker: Asker) => unknown;

/** The actions that clients may ask the hub for, by name; those who offer them add them. */
@Injectable()
export class HubActions {
  readonly #logger = new Logger(HubActions.name);
  readonly #actions = new Map<string, HubAction>();
  @Inject(AccessControl)
  private readonly access!: AccessControl;

  add(name: string, action: HubAction): void {
    this.#actions.set(name, action);
  }

  /** Answers a request to the hub: exactly one `response` or `error`. Never rejects. */
  async answer(connection: Connection, { fromClientId: clientId, content, msgId }: Envelope): Promise<void> {
    try {
      const { action, data } = parseRequest(content);
      const run = this.#actions.get(action);
      if (run === undefined) throw new CrossCommError('CC_UNKNOWN_ACTION', `The action is "${action}".`);
      this.access.assertMayRequest(connection, SERVER_ID, action);
      sendResponse(connection, msgId, await run(data, { clientId, connection }));
    } catch (error) {
      const coded = CrossCommError.from(error);
      if (coded.code === 'CC_INTERNAL') this.#logger.error(`An action failed: ${coded.message}`, coded.cause);
      sendError(connection, coded, msgId);
    }
  }
}
