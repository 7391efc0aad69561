import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CrossCommOptions } from '../../src/index.js';
import type { CrossCommClient, NodeClientOptions } from '../../src/sdk/index.node.js';
import { checkHistory, type Verdict } from './checker.js';
import { ClientProcess } from './client-process.js';
import type { ClientTask } from './client.child.js';
import { Consumer } from './consumer.js';
import { newFaultClient } from './fault-client.js';
import { History } from './history.js';
import { HubProcess } from './hub-process.js';
import { Link } from './link.js';
import { Producer } from './producer.js';
import { SeededRandom } from './random.js';

/** Time after the last expected message in which one too many may still come. */
const AFTERMATH_MS = 400;

/** How a client of the testbed differs from the others. */
export type TestbedClientOptions = Omit<NodeClientOptions, 'url' | 'clientId'> & {
  /** Past the link, straight to the hub. */
  readonly isDirect?: boolean;
};

/** Hub, network, clients and history of one scenario. */
export class Testbed {
  readonly random: SeededRandom;
  readonly history: History;
  readonly dataDir: string;
  readonly producers: Producer[] = [];
  readonly consumers: Consumer[] = [];
  readonly clients: CrossCommClient[] = [];
  readonly #processes: ClientProcess[] = [];
  readonly #hubs: HubProcess[] = [];
  readonly #undo: (() => unknown)[] = [];
  #hub: HubProcess | undefined;
  #link: Link | undefined;

  private constructor(
    readonly directory: string,
    seed: number,
  ) {
    this.random = new SeededRandom(seed);
    this.history = new History(join(directory, 'history.jsonl'));
    this.dataDir = join(directory, 'data');
  }

  static async open(seed: number): Promise<Testbed> {
    return new Testbed(await mkdtemp(join(tmpdir(), 'cross-comm-faults-')), seed);
  }

  /** The hub, once {@link startHub} was called. */
  get hub(): HubProcess {
    if (this.#hub === undefined) throw new Error('No hub was started.');
    return this.#hub;
  }

  /** The network between clients and hub. */
  get link(): Link {
    if (this.#link === undefined) throw new Error('No hub was started.');
    return this.#link;
  }

  /** Starts the hub and the link to it. */
  async startHub(options: CrossCommOptions = {}, env: NodeJS.ProcessEnv = {}): Promise<HubProcess> {
    this.#hub = this.newHub(options, env);
    await this.#hub.start();
    this.#link ??= await Link.open(this.#hub.port);
    return this.#hub;
  }

  /** A further hub on the same data directory; not started yet. */
  newHub(options: CrossCommOptions = {}, env: NodeJS.ProcessEnv = {}): HubProcess {
    const hub = new HubProcess({ hub: { storage: { driver: 'none' }, dataDir: this.dataDir, closeTimeoutMs: 300, ...options }, env });
    this.#hubs.push(hub);
    return hub;
  }

  /** The hub that counts from now on. */
  use(hub: HubProcess): void {
    this.#hub = hub;
    this.link.leadTo(hub.port);
  }

  /** A client that is online. */
  async client(clientId: string, { isDirect = false, ...options }: TestbedClientOptions = {}): Promise<CrossCommClient> {
    const client = this.newClient(clientId, { isDirect, ...options });
    await client.login({ keepTrying: true });
    return client;
  }

  newClient(clientId: string, { isDirect = false, ...options }: TestbedClientOptions = {}): CrossCommClient {
    const client = newFaultClient({ url: isDirect ? `ws://127.0.0.1:${this.hub.port}` : this.link.url, clientId, ...options });
    this.clients.push(client);
    return client;
  }

  async producer(id: string, options?: TestbedClientOptions): Promise<Producer> {
    const producer = new Producer(await this.client(id, options), id, this.history, this.random.derive(id));
    this.producers.push(producer);
    return producer;
  }

  async consumer(id: string, options?: TestbedClientOptions & { readonly workMs?: () => number }): Promise<Consumer> {
    const { workMs, ...clientOptions } = options ?? {};
    const client = this.newClient(id, clientOptions);
    const consumer = Consumer.on(client, id, this.history, workMs);
    this.consumers.push(consumer);
    await client.login({ keepTrying: true });
    return consumer;
  }

  /** Producers `p1`… that send to consumers `c1`… all the time. @returns the ids of the consumers */
  async traffic({ producers = 3, consumers = 3, options = {} }: { producers?: number; consumers?: number; options?: TestbedClientOptions } = {}): Promise<string[]> {
    const targets = Array.from({ length: consumers }, (_, i) => `c${i + 1}`);
    for (const target of targets) await this.consumer(target, options);
    for (let i = 1; i <= producers; i++) (await this.producer(`p${i}`, options)).start({ targets });
    return targets;
  }

  /** A client in a process of its own. */
  async clientProcess(task: Omit<ClientTask, 'url' | 'historyPath' | 'seed'>): Promise<ClientProcess> {
    const seed = this.random.derive(task.clientId).seed;
    const client = await ClientProcess.start({ url: this.link.url, historyPath: this.history.path, seed, ...task });
    this.#processes.push(client);
    return client;
  }

  /** Writes down that a fault begins, so that the recovery from it can be measured. */
  fault(fault: string): void {
    this.history.append({ kind: 'fault', fault });
  }

  /** Writes down that a fault is over. */
  healed(fault: string): void {
    this.history.append({ kind: 'healed', fault });
  }

  onClose(action: () => unknown): void {
    this.#undo.push(action);
  }

  /** Ends the traffic, waits until every message is answered and everything acked has arrived (or for `withinMs`), and judges. */
  async settle(withinMs = 30_000): Promise<Verdict> {
    const deadlineMs = performance.now() + withinMs;
    const late = (): boolean => performance.now() > deadlineMs;
    await Promise.all(this.producers.map((producer) => producer.stop()));
    await within(withinMs, Promise.all(this.#processes.map((process) => process.settle())));
    while (this.producers.some((producer) => producer.inFlight > 0) && !late()) await pause(10);
    let verdict = checkHistory(this.history.read());
    while (verdict.lost > 0 && !late()) {
      await pause(100);
      verdict = checkHistory(this.history.read());
    }
    await pause(AFTERMATH_MS);
    return checkHistory(this.history.read());
  }

  /** @param keepFiles leaves history and data for somebody to look at */
  async close(keepFiles: boolean): Promise<void> {
    for (const action of this.#undo.splice(0).toReversed()) await action();
    await Promise.all(this.producers.map((producer) => producer.stop()));
    await Promise.all(this.#processes.map((process) => process.kill()));
    await Promise.all(this.#hubs.map((hub) => hub.kill()));
    await Promise.all(this.clients.map((client) => client.logout()));
    await this.#link?.close();
    this.history.close();
    if (!keepFiles) await rm(this.directory, { recursive: true, force: true });
  }
}

/** Waits for `work`, but not for longer. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const timeout = new AbortController();
  await Promise.race([work, sleep(ms, undefined, { signal: timeout.signal }).catch(() => undefined)]);
  timeout.abort();
}

/** A promise that resolves after `ms` milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
