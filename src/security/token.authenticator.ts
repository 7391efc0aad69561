import { readFile } from 'node:fs/promises';
import { CrossCommError } from '../protocol/index.js';
import { Authenticator, type AuthDecision, type AuthRequest } from './authenticator.js';
import { isTokenOf, parseTokenHash, type TokenHash } from './token-hash.js';

/** Hashes by client id, or by the beginning of ids followed by `*`. Several of one id are all good. */
export type TokenTable = Readonly<Record<string, string | readonly string[]>>;

const REFUSED: AuthDecision = { allowed: false };

/**
 * Lets in who has the token of his client id. The exact id counts before a pattern, a longer pattern before a shorter
 * one. The token comes in the login, or as HTTP Basic password of the upgrade, whose user must be the id.
 */
export class TokenAuthenticator extends Authenticator {
  readonly #byId = new Map<string, readonly TokenHash[]>();
  /** Longest first. */
  readonly #byPrefix: (readonly [prefix: string, hashes: readonly TokenHash[]])[] = [];

  /** @throws CrossCommError `CC_INVALID_OPTION` */
  constructor(table: TokenTable) {
    super();
    for (const [pattern, texts] of Object.entries(table)) {
      const hashes = (Array.isArray(texts) ? texts : [texts]).map((text: unknown) => parseTokenHash(text, pattern));
      if (hashes.length === 0) throw new CrossCommError('CC_INVALID_OPTION', `${JSON.stringify(pattern)} has no token.`);
      if (pattern.endsWith('*')) this.#byPrefix.push([pattern.slice(0, -1), hashes]);
      else this.#byId.set(pattern, hashes);
    }
    this.#byPrefix.sort(([a], [b]) => b.length - a.length);
    if (this.#byId.size + this.#byPrefix.length === 0) throw new CrossCommError('CC_INVALID_OPTION', 'There is no token, so nobody could log in.');
  }

  /** Reads a JSON file `{"<client id or prefix*>": "<hash>" or ["<hash>", …]}`. @throws CrossCommError `CC_INVALID_OPTION` */
  static async fromFile(path: string): Promise<TokenAuthenticator> {
    let table: unknown;
    try {
      table = JSON.parse(await readFile(path, 'utf8'));
    } catch (error) {
      // the parser quotes what it read, which may be a token; the reason alone is told
      const reason = error instanceof SyntaxError ? 'it is not JSON' : ((error as NodeJS.ErrnoException).code ?? 'it cannot be read');
      throw new CrossCommError('CC_INVALID_OPTION', `The token file ${JSON.stringify(path)} cannot be used: ${reason}.`);
    }
    if (typeof table !== 'object' || table === null || Array.isArray(table))
      throw new CrossCommError('CC_INVALID_OPTION', `The token file ${JSON.stringify(path)} holds no object.`);
    return new TokenAuthenticator(table as TokenTable);
  }

  override get description(): string {
    return `tokens of ${this.#byId.size} client ids and ${this.#byPrefix.length} patterns`;
  }

  override authenticate({ clientId, token, basic }: AuthRequest): AuthDecision | Promise<AuthDecision> {
    const given = token ?? (basic?.user === clientId ? basic.password : undefined);
    const hashes = this.#byId.get(clientId) ?? this.#byPrefix.find(([prefix]) => clientId.startsWith(prefix))?.[1];
    if (given === undefined || hashes === undefined) return REFUSED;
    const answers = hashes.map((hash) => isTokenOf(hash, given));
    if (answers.every((answer) => typeof answer === 'boolean')) return { allowed: answers.includes(true) };
    return Promise.all(answers.map((answer) => Promise.resolve(answer))).then((all) => ({ allowed: all.includes(true) }));
  }
}
