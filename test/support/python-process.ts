import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onCleanUp } from './clean-up.js';
import { projectPath } from './project-path.js';

const PYTHON = '/usr/bin/python3';

/** Fails with what to install when Debian's Python lacks a module. */
export function requirePythonModule(module: string, debianPackage: string): void {
  const { status, error } = spawnSync(PYTHON, ['-c', `import ${module}`]);
  if (status !== 0)
    throw new Error(`${PYTHON} cannot import ${module}${error === undefined ? '' : ` (${error.message})`}. Run: apt-get update && apt-get install -y ${debianPackage}`);
}

/** A Python script that speaks JSON lines with a test. */
export class PythonProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #events: Record<string, unknown>[] = [];
  #stderr = '';
  #wake: () => void = () => undefined;

  constructor(script: string) {
    this.#child = spawn(PYTHON, [projectPath('test', 'python', script)]);
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#events.push(JSON.parse(line) as Record<string, unknown>);
      this.#wake();
    });
    onCleanUp(() => this.end());
  }

  /** Writes one command or question. */
  tell(command: Record<string, unknown>): void {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  /** The first event from now on, or already waiting, that fits; what came before it stays. */
  async event(fits: (event: Record<string, unknown>) => boolean, what: string, withinMs = 8_000): Promise<Record<string, unknown>> {
    const deadlineMs = performance.now() + withinMs;
    for (;;) {
      const index = this.#events.findIndex(fits);
      if (index !== -1) return this.#events.splice(index, 1)[0] as Record<string, unknown>;
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0 || this.#child.exitCode !== null)
        throw new Error(`Python did not say: ${what}. Waiting: ${JSON.stringify(this.#events).slice(0, 2_000)}\n${this.#stderr}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(leftMs, 100));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Runs a command and returns its value. */
  async run(command: Record<string, unknown>): Promise<unknown> {
    this.tell(command);
    const done = await this.event((event) => event['ev'] === 'done' && event['do'] === command['do'], `done ${String(command['do'])}`);
    return done['value'];
  }

  /** The next message a listener of this name got. */
  message(listener: string): Promise<Record<string, unknown>> {
    return this.event((event) => event['ev'] === 'message' && event['listener'] === listener, `a message for ${listener}`);
  }

  /** Events that nobody asked for yet, of one kind. */
  waiting(kind: string): readonly Record<string, unknown>[] {
    return this.#events.filter((event) => event['ev'] === kind);
  }

  /** Ends the script and waits for it. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }
}
