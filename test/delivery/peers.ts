import type { TestHub } from '../../src/testing/index.js';
import { RawClient } from '../support/raw-client.js';
import { wireFrame, type WireFrame } from '../support/wire.js';

/** What a client of today announces, without a mailbox. */
export const FEATURES = ['errors', 'ext', 'requests', 'calls', 'events'] as const;

/** Opens a socket and logs in with protocol 2; `announced` may hold more, or other features. */
export async function peer({ url }: TestHub, id: string, announced: Readonly<Record<string, unknown>> = {}): Promise<RawClient> {
  const client = await RawClient.connect(url);
  await client.login(id, { cross_comm: { protocol: 2, features: FEATURES, ...announced } });
  return client;
}

/** Asks the hub for an action; the next frame is the answer. */
export async function ask(client: RawClient, action: string, data: unknown = {}): Promise<WireFrame> {
  client.send({ msg_type: 'request', msg_id: 'ask', content: { action, data } });
  return client.next();
}

/** The content of the answer to an action. */
export async function answerTo(client: RawClient, action: string, data: unknown = {}): Promise<unknown> {
  const { msg_type, content } = await ask(client, action, data);
  if (msg_type !== 'response') throw new Error(`${action} was answered with ${JSON.stringify(content)}`);
  return (content as { data: unknown }).data;
}

/** Sends a request of one client to another. @returns its text */
export function request(client: RawClient, to: string, msgId: string, content: Readonly<Record<string, unknown>> = {}): string {
  return client.send({ msg_type: 'request', msg_id: msgId, to_client_id: to, content: { action: 'add', data: [1, 2], ...content } });
}

/** The frame of an answer. @returns what was sent */
export function respond(client: RawClient, to: string, content: Readonly<Record<string, unknown>>): string {
  return client.send(JSON.stringify(wireFrame({ from_client_id: client.id, msg_type: 'response', to_client_id: to, content })));
}
