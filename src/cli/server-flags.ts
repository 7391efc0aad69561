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
  readonly tlsCa?: string;
  readonly clientCerts?: 'optional' | 'required';
  readonly clientCertName?: 'cn' | 'dns' | 'uri';
  readonly authTokens?: string;
  readonly jwtSecretFile?: string;
  readonly jwtPublicKey?: string;
  readonly jwks?: string;
  readonly jwtIssuer?: string;
  readonly jwtAudience?: string;
  readonly revocations?: string;
  readonly maxConnections?: number;
  readonly maxConnectionsPerAddress?: number;
  readonly loginsPerSecond?: number;
  readonly messagesPerSecond?: number;
  readonly bytesPerSecond?: number;
  readonly trustedProxy: string[];
  readonly allowedOrigin: string[];
  readonly storage: StorageDriver;
  readonly maxMessageBytes?: number;
  readonly maxBufferedBytes?: number;
  readonly compression: boolean;
  readonly quiet: boolean;
}
