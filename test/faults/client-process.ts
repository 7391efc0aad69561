import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ClientReport, ClientTask } from './client.child.js';

const CHILD = fileURLToPath(new URL('./client.child.js', import.meta.url));

/** A client in a process of its own, which can be frozen. */
export class ClientProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts it and waits until it is online. */
  static async start(task: ClientTask): Promise<ClientProcess> {
    const client = new ClientProcess(fork(CHILD, [JSON.stringify(task)], { execArgv: [] }));
    await client.#reported('online');
    return client;
  }

  /** SIGSTOP. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  /** SIGCONT. */
  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Ends its sending and waits until everything is answered. */
  async settle(): Promise<void> {
    const settled = this.#reported('settled');
    this.#child.send('stop');
    await settled;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #reported(awaited: ClientReport): Promise<void> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error(`The client process ended before it was ${awaited}.`));
      this.#child.once('exit', onExit);
      this.#child.on('message', (report: ClientReport) => {
        if (report !== awaited) return;
        this.#child.off('exit', onExit);
        resolve();
      });
    });
  }
}
