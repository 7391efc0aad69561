import { CrossCommError, type CrossCommClient } from '../../src/sdk/index.node.js';
import { crc32 } from 'node:zlib';
import { textOf, type History } from './history.js';
import type { SeededRandom } from './random.js';

/** What a producer sends. */
export interface Traffic {
  /** Client ids and groups, chosen at random. */
  readonly targets: readonly string[];
  /** Pause between two bursts of one to eight messages. Default 4 ms. */
  readonly paceMs?: number;
  /** Sizes are chosen between these. Default 64 and 2,048. */
  readonly leastBytes?: number;
  readonly mostBytes?: number;
  /** Messages without an answer at which it waits. Default 300. */
  readonly maxInFlight?: number;
}

/** Sends numbered messages through an SDK client and writes down what it was told about each. */
export class Producer {
  readonly #counters = new Map<string, number>();
  #isStopped = false;
  #running: Promise<void> | undefined;
  /** Messages without an answer. */
  inFlight = 0;
  /** Codes of refusals, each with its number. */
  readonly refusals = new Map<string, number>();

  constructor(
    readonly client: CrossCommClient,
    readonly id: string,
    private readonly history: History,
    private readonly random: SeededRandom,
  ) {}

  /** Sends until {@link stop}. */
  start({ targets, paceMs = 4, leastBytes = 64, mostBytes = 2_048, maxInFlight = 300 }: Traffic): void {
    this.#isStopped = false;
    this.#running = (async () => {
      while (!this.#isStopped) {
        for (let i = this.random.integer(1, 8); i > 0 && this.inFlight < maxInFlight; i--) void this.send(this.random.pick(targets), this.random.integer(leastBytes, mostBytes));
        await new Promise((resolve) => setTimeout(resolve, paceMs));
      }
    })();
  }

  /** Ends the sending; what was sent may still wait for its answer. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  /** Sends the next message to a target. Resolves when there is an answer, with the code of a refusal or undefined. */
  async send(to: string, sizeBytes: number): Promise<string | undefined> {
    const n = (this.#counters.get(to) ?? 0) + 1;
    this.#counters.set(to, n);
    const message = { from: this.id, to, n };
    const text = textOf(message, sizeBytes);
    this.history.append({ kind: 'sent', ...message, sum: crc32(text) });
    this.inFlight++;
    try {
      const { receipt } = await this.client.sendMessage(text, 'text', to);
      this.history.append({ kind: 'acked', ...message, receipt });
      return undefined;
    } catch (error) {
      const { code } = CrossCommError.from(error);
      this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
      this.history.append({ kind: 'refused', ...message, code });
      return code;
    } finally {
      this.inFlight--;
    }
  }
}
