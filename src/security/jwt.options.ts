import { ArrayNotEmpty, IsArray, IsBoolean, IsIn, IsNumber, IsOptional, IsString, Max, Min, MinLength, validateSync } from 'class-validator';
import { CrossCommError } from '../protocol/index.js';
import { JWT_ALGORITHMS, type JwtAlgorithm } from './jwt-key.js';

/** Logins by JSON Web Token (RFC 7519). Its key is exactly one of secret, secretFile, publicKey, publicKeyFile and jwksFile. */
export class JwtOptions {
  /** Shared secret of HS256: at least 32 bytes, of UTF-8 text. Who has it can make tokens. */
  @IsOptional()
  @IsString()
  secret: string | undefined = undefined;

  /** File that holds the secret; a line end at its end does not count. Read again when it changes, as the other files. */
  @IsOptional()
  @IsString()
  secretFile: string | undefined = undefined;

  /** Public key (PEM) of RS256 (RSA, at least 2,048 bits) or ES256 (P-256). */
  @IsOptional()
  @IsString()
  publicKey: string | undefined = undefined;

  /** File that holds the public key. */
  @IsOptional()
  @IsString()
  publicKeyFile: string | undefined = undefined;

  /** File that holds a JSON Web Key Set (RFC 7517); the `kid` of a token selects the key. */
  @IsOptional()
  @IsString()
  jwksFile: string | undefined = undefined;

  /** Algorithms that are accepted. Each works with keys of its own type only. Default all three. */
  @IsArray()
  @ArrayNotEmpty()
  @IsIn(JWT_ALGORITHMS, { each: true })
  algorithms: readonly JwtAlgorithm[] = JWT_ALGORITHMS;

  /** What `iss` must be, exactly. Default undefined: not checked. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  issuer: string | undefined = undefined;

  /** What `aud` must be or contain. Default undefined: not checked. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  audience: string | undefined = undefined;

  /** By how many seconds the clocks of issuer and hub may differ. Default 5. */
  @IsNumber()
  @Min(0)
  @Max(300)
  clockToleranceSeconds: number = 5;

  /** Whether a token needs an end (`exp`). Default true. */
  @IsBoolean()
  requireExpiry: boolean = true;

  /** The claim that is the client id. Ids (or `prefix*`) listed in `cross_comm.client_ids` are good too. Default `sub`. */
  @IsString()
  @MinLength(1)
  clientIdClaim: string = 'sub';
}

/** The options that hold a key. */
const JWT_KEY_OPTIONS = ['secret', 'secretFile', 'publicKey', 'publicKeyFile', 'jwksFile'] as const;

/**
 * Fills in the defaults.
 * @throws CrossCommError `CC_INVALID_OPTION`, without the values
 */
export function resolveJwtOptions(given: Partial<JwtOptions>): JwtOptions {
  const options = new JwtOptions();
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(options, name)) throw new CrossCommError('CC_INVALID_OPTION', `There is no option "${name}" in auth.jwt.`);
    if (value !== undefined) Object.assign(options, { [name]: value });
  }
  const problems = validateSync(options, { whitelist: true, forbidNonWhitelisted: true });
  if (problems.length > 0)
    throw new CrossCommError('CC_INVALID_OPTION', `auth.jwt: ${problems.flatMap(({ constraints }) => Object.values(constraints ?? {})).join('; ')}.`);
  if (JWT_KEY_OPTIONS.filter((name) => options[name] !== undefined).length !== 1)
    throw new CrossCommError('CC_INVALID_OPTION', `auth.jwt takes exactly one of ${JWT_KEY_OPTIONS.join(', ')}.`);
  return options;
}
