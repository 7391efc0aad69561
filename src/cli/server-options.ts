import type { CrossCommOptions } from '../cross-comm.options.js';
import { CrossCommError } from '../protocol/index.js';
import type { AuthOptions, JwtOptions } from '../security/index.js';
import type { ServerFlags } from './server-flags.js';

/** Environment variable of the shared JWT secret, for where a file is unhandy; on the command line everybody would see it. */
const JWT_SECRET_VARIABLE = 'CROSS_COMM_JWT_SECRET';

/**
 * The options of the hub that a command line asks for.
 * @throws CrossCommError `CC_INVALID_OPTION`
 */
export function serverOptions(flags: ServerFlags, environment: Readonly<Record<string, string | undefined>>): CrossCommOptions {
  const { host, port, dataDir, compression, maxConnections, maxConnectionsPerAddress, loginsPerSecond, messagesPerSecond, bytesPerSecond } = flags;
  return {
    host,
    port,
    dataDir,
    compression,
    allowedOrigins: flags.allowedOrigin,
    trustedProxies: flags.trustedProxy,
    storage: { driver: flags.storage },
    auth: authOptions(flags, environment),
    ...given({
      path: flags.path,
      heartbeatInterval: flags.heartbeatInterval,
      heartbeatTimeout: flags.heartbeatTimeout,
      maxMessageBytes: flags.maxMessageBytes,
      maxBufferedBytes: flags.maxBufferedBytes,
      tlsCertFile: flags.tlsCert,
      tlsKeyFile: flags.tlsKey,
      tlsClientCaFile: flags.tlsCa,
      tlsClientCert: flags.clientCerts ?? (flags.tlsCa === undefined ? undefined : 'required'),
      maxConnections,
      maxConnectionsPerAddress,
      loginsPerSecond,
      messagesPerSecond,
      bytesPerSecond,
    }),
  };
}

function authOptions(flags: ServerFlags, environment: Readonly<Record<string, string | undefined>>): Partial<AuthOptions> {
  if (flags.clientCertName !== undefined && flags.tlsCa === undefined)
    throw new CrossCommError('CC_INVALID_OPTION', '--client-cert-name needs --tls-ca.');
  const jwt = jwtOptions(flags, environment);
  return given({
    tokensFile: flags.authTokens,
    certificates: flags.clientCertName,
    revocationsFile: flags.revocations,
    jwt,
  });
}

function jwtOptions(flags: ServerFlags, environment: Readonly<Record<string, string | undefined>>): Partial<JwtOptions> | undefined {
  const { jwtSecretFile: secretFile, jwtPublicKey: publicKeyFile, jwks: jwksFile, jwtIssuer: issuer, jwtAudience: audience } = flags;
  const secret = environment[JWT_SECRET_VARIABLE];
  const keys = given({ secretFile, publicKeyFile, jwksFile, secret: secret === '' ? undefined : secret });
  if (Object.keys(keys).length > 0) return { ...keys, ...given({ issuer, audience }) };
  if (issuer === undefined && audience === undefined) return undefined;
  throw new CrossCommError('CC_INVALID_OPTION', `--jwt-issuer and --jwt-audience need --jwt-secret-file, --jwt-public-key, --jwks or ${JWT_SECRET_VARIABLE}.`);
}

/** What is not undefined. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
