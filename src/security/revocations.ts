import { Injectable } from '@nestjs/common';
import { CrossCommError } from '../protocol/index.js';
import { jsonObject } from './credential-files.js';
import { NamePatterns } from './name-patterns.js';

/** A login, as far as revoking it goes. */
export interface LoginFacts {
  readonly clientId: string;
  /** `credential` of its decision, e.g. `jwt:<jti>`. */
  readonly credential: string | undefined;
}

/** Which logins are revoked: a client id or `prefix*`, a credential (its hash in any spelling), or whatever a function says. */
export type RevocationTarget = string | { readonly credential: string } | ((login: LoginFacts) => boolean);

type Matcher = (login: LoginFacts) => boolean;

/** What may not log in, although its credentials are good. */
@Injectable()
export class Revocations {
  /** By client id, by `credential:<credential>`, or by the function itself. */
  readonly #matchers = new Map<string | Matcher, Matcher>();
  #ofFile: Matcher | undefined;
  #onRevoked: (matches: Matcher) => void = () => undefined;

  /** Has `handler` called with what is revoked from now on, to end the logins that stand. */
  onRevoked(handler: (matches: Matcher) => void): void {
    this.#onRevoked = handler;
  }

  isRevoked(login: LoginFacts): boolean {
    if (this.#ofFile?.(login) === true) return true;
    for (const matches of this.#matchers.values()) if (matches(login)) return true;
    return false;
  }

  /** Refuses logins from now on and ends those that stand, until {@link lift}. */
  add(target: RevocationTarget): void {
    const matches = matcherOf(target);
    this.#matchers.set(keyOf(target), matches);
    this.#onRevoked(matches);
  }

  /** Takes a revocation back, given as it was; false when there was none. What the file says stays. */
  lift(target: RevocationTarget): boolean {
    return this.#matchers.delete(keyOf(target));
  }

  /** Ends logins that stand without refusing later ones: their credentials are not good any more. */
  end(matches: (login: LoginFacts) => boolean): void {
    this.#onRevoked(matches);
  }

  /** Takes the text of the revocation file in place of the one before. @throws CrossCommError `CC_INVALID_OPTION` */
  useFile(text: string): void {
    const { client_ids: ids = [], credentials = [], ...others } = jsonObject(text);
    if (!isNames(ids) || !isNames(credentials) || Object.keys(others).length > 0)
      throw new CrossCommError('CC_INVALID_OPTION', 'It is not {"client_ids": ["<id or prefix*>", …], "credentials": ["jwt:<jti>", …]}.');
    const [patterns, named] = [new NamePatterns(ids), new Set(credentials.map(spelling))];
    this.#ofFile = ({ clientId, credential }) => patterns.matches(clientId) || (credential !== undefined && named.has(spelling(credential)));
    this.#onRevoked(this.#ofFile);
  }
}

function keyOf(target: RevocationTarget): string | Matcher {
  return typeof target === 'object' ? `credential:${spelling(target.credential)}` : typeof target === 'string' ? `id:${target}` : target;
}

function matcherOf(target: RevocationTarget): Matcher {
  if (typeof target === 'function') return target;
  if (typeof target === 'object') {
    const named = spelling(target.credential);
    return ({ credential }) => credential !== undefined && spelling(credential) === named;
  }
  const patterns = new NamePatterns([target]);
  return ({ clientId }) => patterns.matches(clientId);
}

/** Hashes are written with capitals and colons or without; one that is meant must not be missed for that. */
function spelling(credential: string): string {
  if (credential.startsWith('certificate:')) return `certificate:${credential.slice(12).replaceAll(':', '').toLowerCase()}`;
  return credential.startsWith('token:') ? credential.toLowerCase() : credential;
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '');
}
