import { IsArray, IsIn, IsObject, IsOptional, IsString } from 'class-validator';
import type { Type } from '@nestjs/common';
import type { AccessRule } from './access-rule.js';
import type { AuthenticateFunction, Authenticator } from './authenticator.js';
import type { Authorizer } from './authorizer.js';
import type { CertificateName } from './certificate.authenticator.js';
import type { JwtOptions } from './jwt.options.js';
import type { TokenTable } from './token.authenticator.js';

/**
 * Who may log in, and do what. Of several ways to log in the first that lets in counts: tokens, then jwt, then
 * certificates, then authenticator. Default: everyone, under any id, may do everything.
 */
export class AuthOptions {
  /**
   * Tokens as hashes, by client id or `prefix*`: `{ alice: 'sha256:…', 'robot-*': ['scrypt:…', 'sha256:…'] }`.
   * `hashToken(token)` makes one.
   */
  @IsOptional()
  @IsObject()
  tokens: TokenTable | undefined = undefined;

  /** JSON file with the same, in place of `tokens`. Read again when it changes; logins by a token taken out of it are ended. */
  @IsOptional()
  @IsString()
  tokensFile: string | undefined = undefined;

  /** JSON Web Tokens, see {@link JwtOptions}. */
  @IsOptional()
  @IsObject()
  jwt: Partial<JwtOptions> | undefined = undefined;

  /** Client certificates whose common name (`cn`), DNS name or URI is the client id. Needs `tlsClientCert`. */
  @IsOptional()
  @IsIn(['cn', 'dns', 'uri'])
  certificates: CertificateName | undefined = undefined;

  /**
   * An own {@link Authenticator}, a class of one, which Nest makes with what it injects, or a function that decides.
   */
  @IsOptional()
  authenticator: Authenticator | Type<Authenticator> | AuthenticateFunction | undefined = undefined;

  /**
   * What clients may do, by client id or `prefix*`: `[{ clientId: 'sensor-*', send: ['collector'], join: [] }]`. The first
   * rule for an id counts; what it does not name, and ids without a rule, are not restricted; `*` covers `all`, `server` and
   * groups too. Default none.
   */
  @IsArray()
  rules: readonly AccessRule[] = [];

  /** An own {@link Authorizer}, or a class of one; then `rules` have no place. */
  @IsOptional()
  authorizer: Authorizer | Type<Authorizer> | undefined = undefined;

  /**
   * JSON file `{"client_ids": ["<id or prefix*>"], "credentials": ["jwt:<jti>", "token:sha256:…", "certificate:<SHA-256 fingerprint>"]}`
   * of what may not log in. Read again when it changes; logins that stand are ended within a second.
   */
  @IsOptional()
  @IsString()
  revocationsFile: string | undefined = undefined;
}
