import { readFileSync } from 'node:fs';
import { inflateRawSync, constants } from 'node:zlib';
import { parsePythonJson } from '../../src/protocol/index.js';
import { projectPath } from './project-path.js';

/** One line of a recording of the Python system: a frame, a handshake or the end of a TCP stream. */
export interface RecordedEvent {
  /** Line in the recording's file, from 1. */
  readonly line: number;
  /** Milliseconds since the start of the recording. */
  readonly t: number;
  readonly conn: number;
  readonly dir: 'c2s' | 's2c';
  readonly event?: 'handshake' | 'tcp-fin' | 'http-body';
  readonly opcode?: 'text' | 'binary' | 'continuation' | 'close';
  readonly fin?: boolean;
  readonly len?: number;
  readonly text?: string;
  readonly text_head?: string;
  readonly b64?: string;
  readonly lines?: readonly string[];
  readonly code?: number;
  readonly compressed?: boolean;
}

/** A recorded dialogue and what its programs observed. */
export interface Recording {
  readonly note: string;
  readonly events: readonly RecordedEvent[];
  /** The text of `cross_comm_clients.yaml` at the end. */
  readonly yaml: string;
}

/** Reads a recording; compressed frames come out inflated. */
export function readRecording(name: string): Recording {
  const [transcript, ...lines] = jsonLines(`${name}.jsonl`);
  const streams = new Map<string, Buffer[]>();
  const events = lines.map((fields, index): RecordedEvent => {
    const event = { ...fields, line: index + 2 } as RecordedEvent;
    if (event.compressed !== true) return event;
    const key = `${event.conn}${event.dir}`;
    const stream = streams.get(key) ?? [];
    streams.set(key, stream);
    const before = inflate(stream).length;
    stream.push(Buffer.from(event.b64 as string, 'base64'), Buffer.from([0, 0, 0xff, 0xff]));
    return { ...event, text: inflate(stream).subarray(before).toString() };
  });
  const yaml = jsonLines(`${name}.observed.jsonl`).findLast((entry) => entry['ev'] === 'yaml');
  return { note: String(transcript?.['note']), events, yaml: String(yaml?.['text']) };
}

function jsonLines(file: string): Record<string, unknown>[] {
  const text = readFileSync(projectPath('test', 'frames', 'crosscomm', file), 'utf8');
  // Python wrote the observations: NaN stands in some of them
  return text.split('\n').filter((line) => line !== '').map((line) => parsePythonJson(line, 64) as Record<string, unknown>);
}

/** All that one side sent, inflated together, because the compression window lives on from message to message. */
function inflate(stream: readonly Buffer[]): Buffer {
  if (stream.length === 0) return Buffer.alloc(0);
  return inflateRawSync(Buffer.concat(stream), { finishFlush: constants.Z_SYNC_FLUSH });
}

/** The payload a client sent, rebuilt where the recording shortened it. */
export function sentPayload(event: RecordedEvent): Buffer {
  if (event.opcode === 'binary') return Buffer.from(event.b64 as string, 'base64');
  if (event.text_head !== undefined) {
    // the only shortened one: 2,000 arrays inside each other
    const [head] = event.text_head.split('[');
    const tail = ', "timestamp": 1795220337.289654, "oss_key": null}';
    return Buffer.from(`${head}${'['.repeat(2_000)}${']'.repeat(2_000)}${tail}`);
  }
  const bytes = Buffer.from(event.text as string);
  if (bytes.length === event.len || event.compressed === true) return bytes;
  // what is not UTF-8 was recorded as U+FFFD
  return Buffer.from((event.text as string).replaceAll('\ufffd', '\xff'), 'latin1');
}
