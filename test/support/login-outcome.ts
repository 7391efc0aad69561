import type { ClientOptions } from 'ws';
import { RawClient } from './raw-client.js';

/** The content of an announcing login with a token. */
export const withToken = (token?: unknown): unknown => ({ cross_comm: { protocol: 2, ...(token === undefined ? {} : { token }) } });

/** What became of a login: `success`, or the error's code, the close code, and what the hub said. */
export async function loginOutcome(url: string, id: string, token?: unknown, options: ClientOptions = {}): Promise<'success' | { code: string; closed: number; message: string }> {
  const client = await RawClient.connect(url, options);
  const { status, code, message } = (await client.login(id, withToken(token))).content as { status: string; code: string; message: string };
  return status === 'success' ? status : { code, closed: (await client.closed()).code, message };
}
