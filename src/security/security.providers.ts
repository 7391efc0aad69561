import type { Provider, Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { CrossCommError } from '../protocol/index.js';
import { AuthOptions } from './auth.options.js';
import { AnonymousAuthenticator, Authenticator, FunctionAuthenticator, type AuthenticateFunction } from './authenticator.js';
import { Authorizer } from './authorizer.js';
import { CertificateAuthenticator } from './certificate.authenticator.js';
import { ClientAddress } from './client-address.js';
import { CombinedAuthenticator } from './combined.authenticator.js';
import { ConnectionLimit } from './connection-limit.js';
import { CredentialFiles } from './credential-files.js';
import { JwtAuthenticator } from './jwt.authenticator.js';
import { LoginRate } from './login-rate.js';
import { MessageRate } from './message-rate.js';
import { PermissionsAuthorizer } from './permissions.authorizer.js';
import { Refusals } from './refusals.js';
import { Revocations } from './revocations.js';
import { TokenAuthenticator } from './token.authenticator.js';

/** Everything of this folder that is injected; `SecurityOptions` and `AuthOptions` are provided by the module. */
export const SECURITY_PROVIDERS: Provider[] = [
  ClientAddress,
  ConnectionLimit,
  CredentialFiles,
  LoginRate,
  MessageRate,
  Refusals,
  { provide: Revocations, inject: [AuthOptions, CredentialFiles], useFactory: revocationsOf },
  { provide: Authenticator, inject: [AuthOptions, CredentialFiles, Revocations, ModuleRef], useFactory: authenticatorOf },
  { provide: Authorizer, inject: [AuthOptions, ModuleRef], useFactory: authorizerOf },
];

/** @throws CrossCommError `CC_INVALID_OPTION` */
async function revocationsOf({ revocationsFile }: AuthOptions, files: CredentialFiles): Promise<Revocations> {
  const revocations = new Revocations();
  if (revocationsFile !== undefined) await files.watch('The revocation file', revocationsFile, (text) => revocations.useFile(text));
  return revocations;
}

/** @throws CrossCommError `CC_INVALID_OPTION` */
async function authenticatorOf(options: AuthOptions, files: CredentialFiles, revocations: Revocations, moduleRef: ModuleRef): Promise<Authenticator> {
  const { tokens, tokensFile, jwt, certificates, authenticator } = options;
  if (tokens !== undefined && tokensFile !== undefined) throw new CrossCommError('CC_INVALID_OPTION', 'auth takes one of tokens and tokensFile.');
  const all: Authenticator[] = [];
  if (tokens !== undefined) all.push(new TokenAuthenticator(tokens));
  if (tokensFile !== undefined) all.push(await TokenAuthenticator.fromFile(tokensFile, files, revocations));
  if (jwt !== undefined) all.push(await JwtAuthenticator.create(jwt, files));
  if (certificates !== undefined) all.push(new CertificateAuthenticator(certificates));
  if (authenticator !== undefined) all.push(await ownAuthenticator(authenticator, moduleRef));
  const [first] = all;
  if (first === undefined) return new AnonymousAuthenticator();
  return all.length === 1 ? first : new CombinedAuthenticator(all);
}

async function ownAuthenticator(given: Authenticator | Type<Authenticator> | AuthenticateFunction, moduleRef: ModuleRef): Promise<Authenticator> {
  if (isClassOf(Authenticator, given)) return moduleRef.create(given);
  if (typeof given === 'function') return new FunctionAuthenticator(given);
  if (typeof (given as Partial<Authenticator>).authenticate === 'function') return given;
  throw new CrossCommError('CC_INVALID_OPTION', 'auth.authenticator is neither a function nor an object with authenticate().');
}

/** @throws CrossCommError `CC_INVALID_OPTION` */
async function authorizerOf({ authorizer, rules }: AuthOptions, moduleRef: ModuleRef): Promise<Authorizer> {
  if (authorizer === undefined) return new PermissionsAuthorizer(rules);
  if (rules.length > 0) throw new CrossCommError('CC_INVALID_OPTION', 'auth takes one of rules and authorizer.');
  if (isClassOf(Authorizer, authorizer)) return moduleRef.create(authorizer);
  if (typeof (authorizer as Partial<Authorizer>).maySend === 'function') return authorizer;
  throw new CrossCommError('CC_INVALID_OPTION', 'auth.authorizer is neither an Authorizer nor a class of one.');
}

function isClassOf<T extends object>(base: abstract new () => T, value: unknown): value is Type<T> {
  return typeof value === 'function' && value.prototype instanceof base;
}
