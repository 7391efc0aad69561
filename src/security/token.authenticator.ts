import { CrossCommError } from '../protocol/index.js';
import { Authenticator, givenToken, type AuthDecision, type AuthRequest } from './authenticator.js';
import { jsonObject, type CredentialFiles } from './credential-files.js';
import type { LoginFacts, Revocations } from './revocations.js';
import { isTokenOf, parseTokenHash, type TokenHash } from './token-hash.js';

/** Hashes by client id, or by the beginning of ids followed by `*`. Several of one id are all good. */
export type TokenTable = Readonly<Record<string, string | readonly string[]>>;

const REFUSED: AuthDecision = { allowed: false };

/** Hashes by exact id, and by the beginning of ids, longest first. */
interface Tokens {
  readonly byId: ReadonlyMap<string, readonly TokenHash[]>;
  readonly byBeginning: readonly (readonly [beginning: string, hashes: readonly TokenHash[]])[];
}

/**
 * Lets in who has the token of his client id. The exact id counts before a pattern, a longer pattern before a shorter
 * one. The token comes in the login, as HTTP Basic password of the upgrade, whose user must be the id, or as bearer.
 */
export class TokenAuthenticator extends Authenticator {
  #tokens: Tokens;

  /** @throws CrossCommError `CC_INVALID_OPTION` */
  constructor(table: TokenTable) {
    super();
    this.#tokens = tokensOf(table);
  }

  /**
   * Reads a JSON file `{"<client id or prefix*>": "<hash>" or ["<hash>", …]}`, again when it changes. Logins whose token
   * is not in it any more are ended then.
   * @throws CrossCommError `CC_INVALID_OPTION`
   */
  static async fromFile(path: string, files: CredentialFiles, revocations: Revocations): Promise<TokenAuthenticator> {
    let authenticator: TokenAuthenticator | undefined;
    await files.watch('The token file', path, (text) => {
      const table = jsonObject(text) as TokenTable;
      if (authenticator === undefined) authenticator = new TokenAuthenticator(table);
      else authenticator.#replace(tokensOf(table), revocations);
    });
    return authenticator as unknown as TokenAuthenticator;
  }

  override get description(): string {
    const { byId, byBeginning } = this.#tokens;
    return `tokens of ${byId.size} client ids and ${byBeginning.length} patterns`;
  }

  override authenticate(request: AuthRequest): AuthDecision | Promise<AuthDecision> {
    const given = givenToken(request);
    const hashes = this.#hashesOf(request.clientId);
    if (given === undefined || hashes === undefined) return REFUSED;
    const answers = hashes.map((hash) => isTokenOf(hash, given));
    if (answers.every((answer) => typeof answer === 'boolean')) return this.#decide(request.clientId, hashes[answers.indexOf(true)]);
    return Promise.all(answers.map((answer) => Promise.resolve(answer))).then((all) => this.#decide(request.clientId, hashes[all.indexOf(true)]));
  }

  #decide(clientId: string, found: TokenHash | undefined): AuthDecision {
    // the table may have been replaced while the hash was computed
    if (found === undefined || this.#hashesOf(clientId)?.some(({ text }) => text === found.text) !== true) return REFUSED;
    return { allowed: true, credential: credentialOf(found) };
  }

  #hashesOf(clientId: string): readonly TokenHash[] | undefined {
    const { byId, byBeginning } = this.#tokens;
    return byId.get(clientId) ?? byBeginning.find(([beginning]) => clientId.startsWith(beginning))?.[1];
  }

  #replace(tokens: Tokens, revocations: Revocations): void {
    const before = this.#tokens;
    this.#tokens = tokens;
    const ours = new Set([...before.byId.values(), ...before.byBeginning.map(([, hashes]) => hashes)].flat().map(credentialOf));
    const isGone = ({ clientId, credential }: LoginFacts): boolean =>
      credential !== undefined && ours.has(credential) && this.#hashesOf(clientId)?.some((hash) => credentialOf(hash) === credential) !== true;
    revocations.end(isGone);
  }
}

/** @throws CrossCommError `CC_INVALID_OPTION` */
function tokensOf(table: TokenTable): Tokens {
  const byId = new Map<string, readonly TokenHash[]>();
  const byBeginning: (readonly [string, readonly TokenHash[]])[] = [];
  for (const [pattern, texts] of Object.entries(table)) {
    const hashes = (Array.isArray(texts) ? texts : [texts]).map((text: unknown) => parseTokenHash(text, pattern));
    if (hashes.length === 0) throw new CrossCommError('CC_INVALID_OPTION', `${JSON.stringify(pattern)} has no token.`);
    if (pattern.endsWith('*')) byBeginning.push([pattern.slice(0, -1), hashes]);
    else byId.set(pattern, hashes);
  }
  byBeginning.sort(([a], [b]) => b.length - a.length);
  if (byId.size + byBeginning.length === 0) throw new CrossCommError('CC_INVALID_OPTION', 'There is no token, so nobody could log in.');
  return { byId, byBeginning };
}

function credentialOf({ text }: TokenHash): string {
  return `token:${text}`;
}
