import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CrossCommOptions } from '../../src/index.js';
import type { HubCommand, HubReport } from './hub.child.js';

const CHILD = fileURLToPath(new URL('./hub.child.js', import.meta.url));
const START_MS = 20_000;
const KEPT_OUTPUT = 20_000;

/** How a hub process is started. */
export interface HubProcessOptions {
  readonly hub: CrossCommOptions & { readonly dataDir: string };
  readonly env?: NodeJS.ProcessEnv;
}

/** A client that left the hub, and why. */
export interface Left {
  readonly clientId: string;
  readonly reason: string;
}

/** A hub in a process of its own that dies, freezes and comes back on the same port. */
export class HubProcess {
  readonly #options: HubProcessOptions;
  #child: ChildProcess | undefined;
  #port = 0;
  /** All that left since the process first started. */
  readonly left: Left[] = [];
  /** What the hub needed from its first line to listening, in milliseconds: without Node's own start. */
  startMs = 0;
  /** The end of what it printed. */
  output = '';

  constructor(options: HubProcessOptions) {
    this.#options = options;
  }

  get port(): number {
    return this.#port;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Starts and waits until it listens, on the same port as before. @param env added to the environment for this start */
  async start(env: NodeJS.ProcessEnv = {}): Promise<void> {
    const options: CrossCommOptions = { host: '127.0.0.1', ...this.#options.hub, port: this.#port };
    const child = fork(CHILD, [JSON.stringify(options)], { silent: true, execArgv: [], env: { ...process.env, ...this.#options.env, ...env } });
    this.#child = child;
    const keep = (chunk: Buffer): void => void (this.output = (this.output + chunk.toString()).slice(-KEPT_OUTPUT));
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`The hub did not listen within ${START_MS} ms:\n${this.output}`)), START_MS);
      child.on('message', (report: HubReport) => {
        if (report.event === 'left') this.left.push(report);
        else {
          clearTimeout(timer);
          this.#port = report.port;
          this.startMs = report.startMs;
          resolve();
        }
      });
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        reject(new Error(`The hub ended with ${code ?? signal} before it listened:\n${this.output}`));
      });
    });
  }

  /** `kill -9`; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM; resolves with the exit code (null: it was killed by a signal) when it is gone. */
  async terminate(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  /** SIGSTOP: it stands still with all its connections open. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** SIGCONT. */
  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Puts its wall clock wrong by so much; 0 puts it right. The monotonic clock goes on. */
  turnClock(turnClockMs: number): void {
    this.#child?.send({ turnClockMs } satisfies HubCommand);
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  }
}
