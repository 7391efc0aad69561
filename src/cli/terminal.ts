import { stripVTControlCharacters } from 'node:util';

/** Where commands write: results to stdout, everything else to stderr, so that pipes carry results only. */
export interface Terminal {
  readonly isInteractive: boolean;
  readonly json: boolean;
  /** One result line. */
  result(line: string): void;
  /** A remark for people; not with `--json`. */
  note(line: string): void;
  /** An error line. */
  error(line: string): void;
}

export function processTerminal(json: boolean): Terminal {
  return {
    isInteractive: process.stdout.isTTY === true && process.stderr.isTTY === true,
    json,
    result: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => {
      if (!json) process.stderr.write(`${line}\n`);
    },
    error: (line) => void process.stderr.write(json ? `${JSON.stringify({ error: line })}\n` : `${line}\n`),
  };
}

const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Text of a stranger, safe to print: no escape sequences that could repaint the terminal. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(CONTROL, (unit) => `\\x${unit.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
