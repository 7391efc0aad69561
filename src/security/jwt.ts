import { isSignedBy, type JwtAlgorithm, type JwtKey } from './jwt-key.js';

/** Characters of a token that is looked at; the claims of a login are small. */
const MAX_TOKEN_LENGTH = 8_192;

const COMPACT = /^([\w-]+)\.([\w-]+)\.([\w-]*)$/;

/** Claims of a token whose signature is good. */
export type JwtClaims = Readonly<Record<string, unknown>>;

/** What a token is checked against. */
export interface JwtRules {
  readonly algorithms: readonly JwtAlgorithm[];
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  readonly clockToleranceSeconds: number;
  readonly requireExpiry: boolean;
}

/** Why a token is not good; the text is for its owner and tells nothing of keys. */
export class JwtProblem extends Error {}

/**
 * Checks a token in compact form (RFC 7515): signature first, then the times and names.
 * @param nowSeconds Unix seconds
 * @throws JwtProblem
 */
export function verifyJwt(token: string, keys: readonly JwtKey[], rules: JwtRules, nowSeconds: number): JwtClaims {
  const [, head, body, tail] = (token.length <= MAX_TOKEN_LENGTH && COMPACT.exec(token)) || [];
  if (head === undefined || body === undefined || tail === undefined) throw new JwtProblem('The token is no JWT.');
  const { alg, kid, crit } = part(head);
  // extensions that must be understood; none is
  if (crit !== undefined) throw new JwtProblem('The token has critical extensions.');
  if (!(rules.algorithms as readonly unknown[]).includes(alg)) throw new JwtProblem('The algorithm of the token is not accepted.');
  const key = keyFor(keys, alg as JwtAlgorithm, kid);
  if (key === undefined) throw new JwtProblem('There is no key for this token.');
  if (!isSignedBy(key, `${head}.${body}`, bytesOf(tail))) throw new JwtProblem('The signature of the token is wrong.');
  const claims = part(body);
  assertTimes(claims, rules, nowSeconds);
  if (rules.issuer !== undefined && claims['iss'] !== rules.issuer) throw new JwtProblem('The token is of another issuer.');
  if (rules.audience !== undefined && ![claims['aud']].flat().includes(rules.audience)) throw new JwtProblem('The token is for another audience.');
  return claims;
}

/** The key a token names, or the only one there is for its algorithm. The algorithm goes with the key, not with the token. */
function keyFor(keys: readonly JwtKey[], algorithm: JwtAlgorithm, kid: unknown): JwtKey | undefined {
  const fitting = keys.filter((key) => key.algorithm === algorithm && (kid === undefined || key.kid === undefined || key.kid === kid));
  const named = fitting.filter((key) => key.kid !== undefined && key.kid === kid);
  const candidates = named.length > 0 ? named : fitting;
  return candidates.length === 1 ? candidates[0] : undefined;
}

function assertTimes({ exp, nbf, iat }: JwtClaims, { requireExpiry, clockToleranceSeconds: tolerance }: JwtRules, nowSeconds: number): void {
  if (exp === undefined && requireExpiry) throw new JwtProblem('The token has no end (exp).');
  for (const time of [exp, nbf, iat])
    if (time !== undefined && !(typeof time === 'number' && Number.isFinite(time))) throw new JwtProblem('A time of the token is no number.');
  if (exp !== undefined && (exp as number) + tolerance <= nowSeconds) throw new JwtProblem('The token has expired.');
  if (nbf !== undefined && (nbf as number) - tolerance > nowSeconds) throw new JwtProblem('The token is not valid yet.');
  if (iat !== undefined && (iat as number) - tolerance > nowSeconds) throw new JwtProblem('The token was issued in the future.');
}

function part(text: string): JwtClaims {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf8', { fatal: true }).decode(bytesOf(text)));
  } catch {
    // answered below
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new JwtProblem('The token is no JWT.');
  return value as JwtClaims;
}

/** Decodes base64url; the same bytes have one spelling only, so that no token has a twin. */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw new JwtProblem('The token is no JWT.');
  return bytes;
}
