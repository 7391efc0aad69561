import type { CrossCommClient } from '../../src/sdk/index.node.js';
import { readText, type History } from './history.js';

/** Writes down every message that an SDK client surfaces. */
export class Consumer {
  /** Messages surfaced so far. */
  received = 0;
  /** Answers of the hub to logins with a mailbox: whether it knew where the mail was left off. */
  readonly recoveries: boolean[] = [];

  private constructor(readonly client: CrossCommClient) {}

  /** @param workMs how long it works on each message before the message counts as processed */
  static on(client: CrossCommClient, id: string, history: History, workMs: () => number = () => 0): Consumer {
    const consumer = new Consumer(client);
    client.onMessage({}, async ({ fromClientId, toClientId, content }) => {
      const { n, to, sum } = readText(content);
      consumer.received++;
      history.append({ kind: 'received', by: id, from: fromClientId, to: to === toClientId ? to : toClientId, n, sum });
      const ms = workMs();
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    });
    client.onRecovery(({ recovered }) => void consumer.recoveries.push(recovered));
    return consumer;
  }
}
