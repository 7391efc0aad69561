import { dump, load } from 'js-yaml';
import type { PresenceRecord } from './presence-store.js';

const HEADER = '# CrossComm presence. Written by the hub; edits are lost.\n';
const END = /\n# end of (\d+) clients\n$/;
const PLAIN_ID = /^[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9_]$/;
/** Plain words that YAML 1.1 (PyYAML) reads as something else than a string. */
const YAML_WORDS = new Set(['null', 'true', 'false', 'yes', 'no', 'on', 'off', 'nan', 'inf']);

/** Records between two pauses of the writer, so that a large registry does not hold up messages. */
const RECORDS_PER_SLICE = 500;

/**
 * The text of `cross_comm_clients.yaml` as the Python tools read it: `last_seen` (Unix seconds) and `status` per
 * client, ids sorted. A comment at the end tells a whole file from a torn one.
 */
export async function presenceToYaml(records: Iterable<readonly [string, PresenceRecord]>): Promise<string> {
  const sorted = [...records].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const slices = [HEADER];
  for (let from = 0; from < sorted.length; from += RECORDS_PER_SLICE) {
    let slice = '';
    for (const [id, { lastSeen, status }] of sorted.slice(from, from + RECORDS_PER_SLICE))
      slice += `${yamlKey(id)}:\n  last_seen: ${yamlFloat(lastSeen)}\n  status: ${status}\n`;
    slices.push(slice);
    await new Promise(setImmediate);
  }
  slices.push(`\n# end of ${sorted.length} clients\n`);
  return slices.join('');
}

/**
 * Reads a presence file of the hub or of the Python server.
 * @throws Error when the text is torn, not YAML or of another shape
 */
export function presenceFromYaml(text: string): Map<string, PresenceRecord> {
  const end = END.exec(text);
  if (text.startsWith(HEADER) && end === null) throw new Error('the file is torn: its last line is missing');
  if (end?.[1] === '0') return new Map();
  // of two keys that become one here (Python's `true` and `'true'`), the last counts
  const document: unknown = load(text, { json: true });
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new Error('the file holds no mapping of client ids');
  const records = new Map<string, PresenceRecord>();
  for (const [id, entry] of Object.entries(document)) {
    if (typeof entry !== 'object' || entry === null) throw new Error('an entry is not a mapping');
    const { last_seen, status } = entry as Record<string, unknown>;
    if (status !== 'online' && status !== 'offline') throw new Error('an entry has no status online or offline');
    records.set(id, { status, lastSeen: typeof last_seen === 'number' && Number.isFinite(last_seen) ? last_seen : 0 });
  }
  if (end !== null && Number(end[1]) !== records.size) throw new Error(`the file should hold ${end[1]} clients and holds ${records.size}`);
  return records;
}

function yamlKey(id: string): string {
  if (PLAIN_ID.test(id) && !YAML_WORDS.has(id.toLowerCase())) return id;
  // a JSON string is a YAML double-quoted scalar; js-yaml decides about everything that is not plainly plain
  return id.length > 100 ? JSON.stringify(id) : dump({ [id]: 0 }, { lineWidth: -1 }).replace(/: 0\n$/, '');
}

function yamlFloat(seconds: number): string {
  return Number.isInteger(seconds) ? `${seconds}.0` : String(seconds);
}
