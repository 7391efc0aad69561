// @ts-check
import { fork } from 'node:child_process';
import { once } from 'node:events';

/** Longest time for one answer of a child, in milliseconds. */
const ANSWER_TIMEOUT_MS = 120_000;

/**
 * A server or load process, pinned to a core, that answers questions over the IPC channel.
 * @see answerParent for the other end
 */
export class BenchProcess {
  #lastId = 0;
  /** @type {Map<number, { resolve(value: any): void, reject(error: Error): void, timer: NodeJS.Timeout }>} */
  #waiting = new Map();
  /** @type {import('node:child_process').ChildProcess} */
  #child;
  #file;

  /**
   * @param {string} file module to run
   * @param {{ core: number | undefined, argument: unknown, nodeArgs?: readonly string[] }} options
   */
  constructor(file, { core, argument, nodeArgs = [] }) {
    this.#file = file;
    const pinned = core === undefined ? {} : { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath, ...nodeArgs] };
    this.#child = fork(file, [JSON.stringify(argument)], {
      execArgv: [...nodeArgs],
      ...pinned,
      // a logger's lines cost what formatting and writing them costs, but do not mix with the report
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (/** @type {any} */ { id, value }) => this.#take(id)?.resolve(value));
    this.#child.on('error', (error) => this.#failAll(error));
    this.#child.on('exit', (code, signal) => this.#failAll(new Error(`${file} ended with ${signal ?? `code ${code}`}.`)));
  }

  /**
   * @param {string} question
   * @param {unknown} [detail] handed to the function that answers
   * @returns {Promise<any>}
   */
  ask(question, detail) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#take(id)?.reject(new Error(`${this.#file} did not answer "${question}".`)), ANSWER_TIMEOUT_MS);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#child.send({ id, question, detail }, (error) => error && this.#take(id)?.reject(error));
    });
  }

  /** Ends the process in the normal way, so that it can write a profile; kills it when that takes too long. */
  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    if (this.#child.connected) this.#child.disconnect();
    await ended;
    clearTimeout(kill);
  }

  /** @param {number} id */
  #take(id) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  /** @param {Error} error */
  #failAll(error) {
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(error);
  }
}
