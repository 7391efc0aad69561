import type { HistoryEvent, Numbered } from './history.js';

/** What a history says about the promises of delivery. Counts of messages; one message for two receivers counts twice. */
export interface Verdict {
  readonly sent: number;
  /** Acked as stored, delivered or processed: these must arrive. */
  readonly acked: number;
  /** Acked as live (or sent, by a hub without acks): these may get lost. */
  readonly live: number;
  readonly refused: number;
  /** Neither acked nor refused. May arrive or not. */
  readonly unanswered: number;
  readonly received: number;
  /** Acked, and not received by somebody it was for. */
  readonly lost: number;
  /** Received more often than once, each further time. */
  readonly duplicated: number;
  /** Received after a later one of the same producer. */
  readonly reordered: number;
  /** Received and never sent, not sent to whom it came, or not with this content. */
  readonly phantom: number;
  /** Refused by the hub and received all the same. */
  readonly contradicted: number;
  /** The longest time from the end of a fault to the next message of any one receiver, in milliseconds. */
  readonly worstRecoveryMs: number;
  /** The first findings in words. */
  readonly findings: readonly string[];
}

const MAX_FINDINGS = 20;

/** What one receiver got from one producer for one target. */
interface Stream {
  readonly seen: Set<number>;
  highest: number;
}

/** Judges a history. Pure: nothing but the events counts, and their order in the list. */
export function checkHistory(events: readonly HistoryEvent[]): Verdict {
  const members = membersOf(events);
  const sums = new Map<string, number>();
  const answers = new Map<string, 'acked' | 'live' | 'refused'>();
  const streams = new Map<string, Stream>();
  const counts = { sent: 0, received: 0, lost: 0, duplicated: 0, reordered: 0, phantom: 0, contradicted: 0 };
  const findings: string[] = [];
  const find = (what: 'lost' | 'duplicated' | 'reordered' | 'phantom' | 'contradicted', message: Numbered, by: string): void => {
    counts[what]++;
    if (findings.length < MAX_FINDINGS) findings.push(`${what}: ${nameOf(message)} at ${by}`);
  };
  for (const event of events) {
    if (event.kind === 'sent') {
      counts.sent++;
      sums.set(nameOf(event), event.sum);
    } else if (event.kind === 'acked') {
      answers.set(nameOf(event), event.receipt === 'live' || event.receipt === 'sent' ? 'live' : 'acked');
    } else if (event.kind === 'refused') {
      // the caller gave up itself, or nobody knows any more: the hub may have taken it
      if (!OPEN_CODES.has(event.code)) answers.set(nameOf(event), 'refused');
    }
  }
  for (const event of events) {
    if (event.kind !== 'received') continue;
    counts.received++;
    const { by, n } = event;
    if (sums.get(nameOf(event)) !== event.sum || !receiversOf(event.to, members).includes(by)) {
      find('phantom', event, by);
      continue;
    }
    const stream = streamOf(streams, event, by);
    if (stream.seen.has(n)) find('duplicated', event, by);
    else if (n < stream.highest) find('reordered', event, by);
    if (answers.get(nameOf(event)) === 'refused' && !stream.seen.has(n)) find('contradicted', event, by);
    stream.seen.add(n);
    stream.highest = Math.max(stream.highest, n);
  }
  for (const event of events) {
    if (event.kind !== 'sent' || answers.get(nameOf(event)) !== 'acked') continue;
    for (const by of receiversOf(event.to, members)) if (!streamOf(streams, event, by).seen.has(event.n)) find('lost', event, by);
  }
  const answered = [...answers.values()];
  const count = (answer: string): number => answered.filter((other) => other === answer).length;
  return {
    ...counts,
    acked: count('acked'),
    live: count('live'),
    refused: count('refused'),
    unanswered: counts.sent - answered.length,
    worstRecoveryMs: worstRecoveryMs(events),
    findings,
  };
}

/** Codes with which the client itself gives a message up, whatever the hub did with it; and the one that says that nobody knows what it did. */
const OPEN_CODES: ReadonlySet<string> = new Set(['CC_TIMEOUT', 'CC_ABORTED', 'CC_CLOSED', 'CC_NOT_CONNECTED', 'CC_DELIVERY_UNKNOWN']);

function membersOf(events: readonly HistoryEvent[]): ReadonlyMap<string, readonly string[]> {
  const members = new Map<string, string[]>();
  for (const event of events) if (event.kind === 'member') members.set(event.group, [...(members.get(event.group) ?? []), event.client]);
  return members;
}

/** A sender that is a member of its group would be among them; the scenarios have none. */
function receiversOf(target: string, members: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return members.get(target) ?? [target];
}

function nameOf({ from, to, n }: Numbered): string {
  return `${from}>${to}#${n}`;
}

function streamOf(streams: Map<string, Stream>, { from, to }: Numbered, by: string): Stream {
  const name = `${from}>${to}@${by}`;
  let stream = streams.get(name);
  if (stream === undefined) streams.set(name, (stream = { seen: new Set(), highest: 0 }));
  return stream;
}

function worstRecoveryMs(events: readonly HistoryEvent[]): number {
  const byTime = events.toSorted((a, b) => a.at - b.at);
  let worstMs = 0;
  let healedAt: number | undefined;
  /** Who has received something since. */
  const back = new Set<string>();
  for (const event of byTime) {
    if (event.kind === 'healed') healedAt ??= event.at;
    else if (event.kind === 'fault') {
      healedAt = undefined;
      back.clear();
    } else if (event.kind === 'received' && healedAt !== undefined && !back.has(event.by)) {
      back.add(event.by);
      worstMs = Math.max(worstMs, event.at - healedAt);
    }
  }
  return worstMs;
}
