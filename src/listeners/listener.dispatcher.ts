import { Injectable, Logger } from '@nestjs/common';
import type { ConnectedClient } from '../clients/index.js';
import type { Envelope } from '../protocol/index.js';
import { ListenerRegistry } from './listener.registry.js';
import { ListenerRunner, type ListenerRun } from './listener.runner.js';
import { ListenersOptions } from './listeners.options.js';

/** How the listeners are doing. */
export interface ListenerStats {
  /** Messages that wait for their listeners. */
  readonly pending: number;
  /** Messages the listeners missed because too many were waiting. */
  readonly missed: number;
}

/**
 * Decides when the listeners of a message run. Messages of one sender run one after another, in order; different
 * senders run side by side up to a bound. The relay never waits for a listener: it only runs, at once, what a listener
 * does before it first awaits something.
 */
@Injectable()
export class ListenerDispatcher {
  readonly #logger = new Logger(ListenerDispatcher.name);
  /** What waits behind the message that a sender's listeners are busy with; only of senders whose listeners take time. */
  readonly #queues = new Map<string, ListenerRun[]>();
  readonly #waitingSenders: string[] = [];
  /** The sender whose listener is on the stack. */
  #calling: string | undefined;
  #running = 0;
  #pending = 0;
  #missed = 0;

  constructor(
    private readonly registry: ListenerRegistry,
    private readonly runner: ListenerRunner,
    private readonly options: ListenersOptions,
  ) {}

  get stats(): ListenerStats {
    return { pending: this.#pending, missed: this.#missed };
  }

  /** Whether a message is for any listener. */
  wants({ msgType, fromClientId }: Envelope): boolean {
    return this.registry.match(msgType, fromClientId) !== undefined;
  }

  /**
   * Hands a routed message to the listeners that want it; never throws and waits for none.
   * @param client the sender
   */
  dispatch(client: ConnectedClient, envelope: Envelope): void {
    const { clientId } = client;
    const matches = this.registry.match(envelope.msgType, clientId);
    if (matches === undefined) return;
    if (this.#pending >= this.options.maxPendingListenerMessages) {
      this.#miss();
      return;
    }
    this.#pending++;
    const run: ListenerRun = { client, envelope, matches, content: undefined, downloads: undefined };
    if (this.#calling !== undefined || this.#running >= this.options.maxConcurrentListeners || this.#queues.has(clientId)) this.#enqueue(clientId, run);
    else this.#begin(clientId, run);
  }

  #enqueue(sender: string, run: ListenerRun): void {
    const queue = this.#queues.get(sender);
    if (queue !== undefined) {
      queue.push(run);
      return;
    }
    this.#queues.set(sender, [run]);
    // a listener that makes its own sender speak again finds it busy
    if (sender !== this.#calling) this.#waitingSenders.push(sender);
  }

  /** Runs the message of a sender nothing is running for. Most listeners are done at once, and then nothing is left to do. */
  #begin(sender: string, run: ListenerRun): void {
    this.#running++;
    this.#calling = sender;
    const working = this.runner.run(run);
    this.#calling = undefined;
    if (working !== undefined || this.#waitingSenders.length > 0 || this.#queues.has(sender)) {
      if (!this.#queues.has(sender)) this.#queues.set(sender, []);
      void this.#drain(sender, working);
      return;
    }
    this.#pending--;
    this.#running--;
  }

  /** Waits for a sender's first message, runs its others until none is left, then takes over a waiting sender. */
  async #drain(firstSender: string, begun: Promise<void> | undefined): Promise<void> {
    await begun;
    this.#pending--;
    for (let sender: string | undefined = firstSender; sender !== undefined; sender = this.#waitingSenders.shift()) {
      const queue = this.#queues.get(sender) ?? [];
      for (let next = 0; next < queue.length; next++) {
        const working = this.runner.run(queue[next] as ListenerRun);
        if (working !== undefined) await working;
        this.#pending--;
        // an array's shift() is slow on long arrays; done work is cut off in slices instead
        if (next === 1023) next -= queue.splice(0, 1024).length;
      }
      this.#queues.delete(sender);
    }
    this.#running--;
  }

  #miss(): void {
    if (this.#missed++ % 1000 !== 0) return;
    this.#logger.warn(
      `Listeners are too slow: ${this.#missed} messages missed so far, ${this.#pending} waiting. Make them faster or raise maxPendingListenerMessages.`,
    );
  }
}
