import type { ClientOptions } from 'ws';
import { RawClient } from './raw-client.js';
import type { WireFrame } from './wire.js';

/** What a client of ours announces. */
const FEATURES = ['errors', 'ext', 'requests', 'acks', 'mailbox', 'calls', 'events'];

/** What the login of a {@link mailClient} may say besides. */
export interface MailLogin {
  readonly features?: readonly string[];
  readonly resume?: { readonly epoch: string; readonly seq: number };
  readonly limits?: Readonly<Record<string, number>>;
  readonly [key: string]: unknown;
}

/** What the answer to the login says about the mailbox. */
export interface MailState {
  readonly epoch: string;
  readonly seq: number;
  readonly recovered: boolean;
  readonly pending: number;
}

/** A client that wants acks and has a mailbox, frame by frame. */
export async function mailClient(url: string, id: string, login: MailLogin = {}, options: ClientOptions = {}): Promise<RawClient & { readonly mail: MailState }> {
  const client = await RawClient.connect(url, options);
  const answer = await client.login(id, { cross_comm: { protocol: 2, features: FEATURES, ...login } });
  const { cross_comm } = answer.content as { cross_comm?: { mail?: MailState } };
  return Object.assign(client, { mail: cross_comm?.mail as MailState });
}

/** The number the hub gave a message. */
export function seqOf({ ext }: WireFrame): number {
  return (ext as { seq: number }).seq;
}

/** Confirms messages by their numbers. */
export function confirm(client: RawClient, content: object): void {
  client.send({ msg_type: 'confirm', content });
}

/** The next `count` frames. */
export async function receive(client: RawClient, count: number): Promise<WireFrame[]> {
  const frames: WireFrame[] = [];
  while (frames.length < count) frames.push(await client.next());
  return frames;
}

/** Reads acks until each of these messages has got this receipt. */
export async function untilAcked(client: RawClient, receipt: string, msgIds: readonly string[]): Promise<void> {
  const missing = new Set(msgIds);
  while (missing.size > 0) {
    const { msg_type, content } = await client.next();
    const ack = content as { receipt: string; msg_ids: string[] };
    if (msg_type !== 'ack' || ack.receipt !== receipt) throw new Error(`In place of ${receipt}: ${JSON.stringify({ msg_type, content })}`);
    for (const id of ack.msg_ids) if (!missing.delete(id)) throw new Error(`${id} was acked once too often.`);
  }
}
