import { IsInt, IsNumber, IsObject, IsOptional, IsString, Max, Min } from 'class-validator';
import type { AuthenticateFunction, Authenticator } from './authenticator.js';
import type { TokenTable } from './token.authenticator.js';

/** Who may log in: at most one of the three. Default: everyone, under any id. */
export class AuthOptions {
  /**
   * Tokens as hashes, by client id or `prefix*`: `{ alice: 'sha256:…', 'robot-*': ['scrypt:…', 'sha256:…'] }`.
   * `hashToken(token)` makes one.
   */
  @IsOptional()
  @IsObject()
  tokens: TokenTable | undefined = undefined;

  /** JSON file with the same, read at start. */
  @IsOptional()
  @IsString()
  tokensFile: string | undefined = undefined;

  /** An own {@link Authenticator}, or a function that decides. */
  @IsOptional()
  authenticator: Authenticator | AuthenticateFunction | undefined = undefined;
}

/** How much one client, one address and all together may ask of the hub. 0 switches a limit off. */
export class SecurityOptions {
  /** Open connections in all; a further one is answered 503 at the upgrade. Default 100,000. */
  @IsInt()
  @Min(0)
  maxConnections: number = 100_000;

  /**
   * Open connections from one address; a further one is answered 429 at the upgrade. Default 0, off: a proxy, or
   * programs on the hub's own machine, share one address.
   */
  @IsInt()
  @Min(0)
  maxConnectionsPerAddress: number = 0;

  /** Logins per second from one address, on average; further ones are refused and closed with 4029. Default 0, off. */
  @IsNumber()
  @Min(0)
  loginsPerSecond: number = 0;

  /** Logins from one address that may come at once after a quiet time. Default 2,000. */
  @IsInt()
  @Min(1)
  loginBurst: number = 2_000;

  /**
   * Messages per second from one client, on average, after a burst of two seconds' worth. Over it the hub stops reading
   * that client until the budget has refilled; nothing is lost. Default 0, off; 2,000 is a good value where strangers connect.
   */
  @IsNumber()
  @Min(0)
  messagesPerSecond: number = 0;

  /** Bytes of messages per second from one client, likewise. Default 0, off; 16 MiB is a good value. */
  @IsNumber()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  bytesPerSecond: number = 0;
}
