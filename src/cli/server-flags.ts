import type { StorageDriver } from '../storage/index.js';

/** What the command line of `cross-comm server` says. */
export interface ServerFlags {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly path?: string;
  readonly heartbeatInterval?: number;
  readonly heartbeatTimeout?: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly authTokens?: string;
  readonly allowedOrigin: string[];
  readonly storage: StorageDriver;
  readonly maxMessageBytes?: number;
  readonly maxBufferedBytes?: number;
  readonly compression: boolean;
  readonly quiet: boolean;
}
