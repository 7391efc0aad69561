import { CrossCommClient, type ClientLogger, type NodeClientOptions } from '../../src/sdk/index.node.js';

const silent: ClientLogger = { warn: () => undefined, error: () => undefined };

/** An SDK client as the scenarios use it: as in production, except that it comes back sooner. */
export function newFaultClient(options: NodeClientOptions & { readonly clientId: string; readonly url: string }): CrossCommClient {
  return new CrossCommClient({
    logger: silent,
    reconnect: { minDelayMs: 20, maxDelayMs: 250 },
    connectTimeoutMs: 3_000,
    loginTimeoutMs: 5_000,
    heartbeatTimeoutMs: 3_000,
    pingIntervalMs: 500,
    ...options,
  });
}
