import { CrossCommError, type Permissions } from '../protocol/index.js';
import { readPermissions } from './access-rule.js';
import { Authenticator, givenToken, type AuthDecision, type AuthRequest, type UpgradeRequest } from './authenticator.js';
import type { CredentialFiles } from './credential-files.js';
import { JwtProblem, verifyJwt, type JwtClaims } from './jwt.js';
import { keySet, publicKey, secretKey, type JwtKey } from './jwt-key.js';
import { resolveJwtOptions, type JwtOptions } from './jwt.options.js';
import { NamePatterns } from './name-patterns.js';

/** What CrossComm reads of a token, in its claim `cross_comm`. */
interface CrossCommClaim {
  readonly client_ids?: unknown;
  readonly permissions?: unknown;
}

/**
 * Lets in who has a JSON Web Token for his client id. The token comes in the login, as HTTP Basic password, or as
 * bearer of the upgrade. Its claims say which ids, what the login may do, and until when.
 */
export class JwtAuthenticator extends Authenticator {
  readonly #options: JwtOptions;
  #keys: readonly JwtKey[] = [];

  private constructor(options: JwtOptions) {
    super();
    this.#options = options;
  }

  /**
   * @param files keeps a key file under watch; without it keys are options
   * @throws CrossCommError `CC_INVALID_OPTION`
   */
  static async create(given: Partial<JwtOptions>, files?: CredentialFiles): Promise<JwtAuthenticator> {
    const options = resolveJwtOptions(given);
    const authenticator = new JwtAuthenticator(options);
    const use = (keys: readonly JwtKey[]): void => {
      if (!keys.some(({ algorithm }) => options.algorithms.includes(algorithm))) throw new CrossCommError('CC_INVALID_OPTION', 'auth.jwt has no key for the algorithms it accepts.');
      authenticator.#keys = keys;
    };
    const { secret, secretFile, publicKey: pem, publicKeyFile, jwksFile } = options;
    if (secret !== undefined) use([secretKey(secret)]);
    else if (pem !== undefined) use([publicKey(pem)]);
    else if (files === undefined) throw new CrossCommError('CC_INVALID_OPTION', 'A key file needs the hub to watch it.');
    else if (secretFile !== undefined) await files.watch('The JWT secret file', secretFile, (text) => use([secretKey(text.replace(/\r?\n$/, ''))]));
    else if (publicKeyFile !== undefined) await files.watch('The JWT public key', publicKeyFile, (text) => use([publicKey(text)]));
    else if (jwksFile !== undefined) await files.watch('The JWKS file', jwksFile, (text) => use(keySet(text)));
    return authenticator;
  }

  override get description(): string {
    const accepted = new Set(this.#keys.map(({ algorithm }) => algorithm).filter((algorithm) => this.#options.algorithms.includes(algorithm)));
    return `JWT (${[...accepted].join(', ')})`;
  }

  override authenticate(request: AuthRequest): AuthDecision {
    const token = givenToken(request);
    if (token === undefined) return { allowed: false };
    try {
      return this.#decide(request.clientId, this.#verify(token));
    } catch (error) {
      if (error instanceof JwtProblem) return { allowed: false, reason: error.message };
      throw error;
    }
  }

  override refusesUpgrade({ bearer }: UpgradeRequest): boolean {
    if (bearer === undefined) return false;
    try {
      this.#verify(bearer);
      return false;
    } catch {
      return true;
    }
  }

  #verify(token: string): JwtClaims {
    return verifyJwt(token, this.#keys, this.#options, Date.now() / 1000);
  }

  #decide(clientId: string, claims: JwtClaims): AuthDecision {
    const { clientIdClaim, clockToleranceSeconds } = this.#options;
    const { client_ids: ids, permissions } = crossCommOf(claims);
    const isListed = Array.isArray(ids) && new NamePatterns(ids.filter((id) => typeof id === 'string')).matches(clientId);
    if (claims[clientIdClaim] !== clientId && !isListed) return { allowed: false, reason: 'The token is for another client id.' };
    const { exp, jti } = claims;
    return {
      allowed: true,
      permissions: permissionsOf(permissions),
      ...(typeof exp === 'number' ? { expiresAt: exp + clockToleranceSeconds } : {}),
      ...(typeof jti === 'string' && jti !== '' ? { credential: `jwt:${jti}` } : {}),
    };
  }
}

/** What is ours in a token; anything in it that is not known may be a misspelt restriction, so it lets nobody in. */
function crossCommOf({ cross_comm: claim = {} }: JwtClaims): CrossCommClaim {
  const isKnown = typeof claim === 'object' && claim !== null && !Array.isArray(claim) && Object.keys(claim).every((name) => name === 'client_ids' || name === 'permissions');
  if (!isKnown) throw new JwtProblem('The token is not usable: its claim cross_comm is not {"client_ids"?, "permissions"?}.');
  return claim;
}

/** Permissions that cannot be read let nobody in: the token was meant to restrict. */
function permissionsOf(given: unknown): Permissions | undefined {
  try {
    return readPermissions(given);
  } catch (error) {
    throw new JwtProblem(`The token is not usable: ${(error as CrossCommError).detail ?? 'its permissions cannot be read'}`);
  }
}
