import type { Provider } from '@nestjs/common';
import { CrossCommError } from '../protocol/index.js';
import { AnonymousAuthenticator, Authenticator, FunctionAuthenticator } from './authenticator.js';
import { ConnectionLimit } from './connection-limit.js';
import { LoginRate } from './login-rate.js';
import { MessageRate } from './message-rate.js';
import { Refusals } from './refusals.js';
import { AuthOptions } from './security.options.js';
import { TokenAuthenticator } from './token.authenticator.js';

/** Everything of this folder that is injected; `SecurityOptions` and `AuthOptions` are provided by the module. */
export const SECURITY_PROVIDERS: Provider[] = [
  ConnectionLimit,
  LoginRate,
  MessageRate,
  Refusals,
  { provide: Authenticator, inject: [AuthOptions], useFactory: authenticatorOf },
];

/** @throws CrossCommError `CC_INVALID_OPTION` */
function authenticatorOf({ authenticator, tokens, tokensFile }: AuthOptions): Authenticator | Promise<Authenticator> {
  if ([authenticator, tokens, tokensFile].filter((given) => given !== undefined).length > 1)
    throw new CrossCommError('CC_INVALID_OPTION', 'auth takes one of authenticator, tokens and tokensFile.');
  if (tokens !== undefined) return new TokenAuthenticator(tokens);
  if (tokensFile !== undefined) return TokenAuthenticator.fromFile(tokensFile);
  if (authenticator === undefined) return new AnonymousAuthenticator();
  if (typeof authenticator === 'function') return new FunctionAuthenticator(authenticator);
  if (typeof (authenticator as Partial<Authenticator>).authenticate === 'function') return authenticator;
  throw new CrossCommError('CC_INVALID_OPTION', 'auth.authenticator is neither a function nor an object with authenticate().');
}
