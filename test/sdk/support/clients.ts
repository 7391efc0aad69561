import { CrossCommClient, CrossCommError, type ClientLogger, type ClientStatus, type Message, type NodeClientOptions } from '../../../src/sdk/index.node.js';
import { startTestHub, type TestHub, type TestHubOptions } from '../../../src/testing/index.js';
import { onCleanUp } from '../../support/clean-up.js';
import { temporaryDirectory, until } from '../../support/open-hub.js';

export { temporaryDirectory, until };

const silent: ClientLogger = { warn: () => undefined, error: () => undefined };

/** A client that logs out after the test and reconnects quickly. */
export function newClient(options: NodeClientOptions): CrossCommClient {
  const client = new CrossCommClient({ logger: silent, reconnect: { minDelayMs: 10, maxDelayMs: 50 }, ...options });
  onCleanUp(() => client.logout());
  return client;
}

/** A client that is logged in. */
export async function online(options: NodeClientOptions): Promise<CrossCommClient> {
  const client = newClient(options);
  await client.login();
  return client;
}

export async function openHub(options: TestHubOptions = {}): Promise<TestHub> {
  const hub = await startTestHub({ shutdownTimeoutMs: 300, closeTimeoutMs: 150, ...options });
  onCleanUp(() => hub.close());
  return hub;
}

/** What a client receives from now on. */
export function inboxOf(client: CrossCommClient): Message[] {
  const inbox: Message[] = [];
  client.onMessage({}, (message) => void inbox.push(message));
  return inbox;
}

export function contents(inbox: readonly Message[]): unknown[] {
  return inbox.map((message) => message.content);
}

export function untilState(client: CrossCommClient, state: ClientStatus['state']): Promise<void> {
  return until(() => client.status.state === state, `status ${state}`);
}

/** The code a promise is rejected with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => (error instanceof CrossCommError ? error.code : String(error)),
  );
}
