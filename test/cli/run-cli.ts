import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../src/cli/bin.js', import.meta.url));

/** What a finished command left behind. */
export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs; `finished` settles when it ends. */
export interface RunningCli {
  readonly child: ChildProcessWithoutNullStreams;
  readonly finished: Promise<CliResult>;
  /** Resolves once stdout or stderr holds `text`, with all of stdout. */
  printed(text: string): Promise<string>;
}

/** Starts the compiled CLI as a process of its own. */
export function startCli(args: readonly string[], cwd?: string, environment: Readonly<Record<string, string>> = {}): RunningCli {
  const child = spawn(process.execPath, [BIN, ...args], { ...(cwd === undefined ? {} : { cwd }), env: { ...process.env, NO_COLOR: '1', ...environment } });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const finished = once(child, 'close').then(([exitCode]) => ({ exitCode: exitCode as number | null, ...output }));
  const printed = async (text: string): Promise<string> => {
    while (!(output.stdout + output.stderr).includes(text)) {
      if (child.exitCode !== null) throw new Error(`The command ended without printing "${text}":\n${output.stdout}${output.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return output.stdout;
  };
  return { child, finished, printed };
}

/** Runs a command to its end, with `input` on stdin. */
export function runCli(args: readonly string[], { input = '', cwd }: { input?: string; cwd?: string } = {}): Promise<CliResult> {
  const running = startCli(args, cwd);
  running.child.stdin.end(input);
  return running.finished;
}
