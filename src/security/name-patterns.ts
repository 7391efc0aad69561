/** Exact names and beginnings of names, made ready to be asked often. */
export class NamePatterns {
  readonly #names = new Set<string>();
  readonly #beginnings: string[] = [];

  /** @param patterns exact names, or beginnings followed by `*` */
  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) {
      if (pattern.endsWith('*')) this.#beginnings.push(pattern.slice(0, -1));
      else this.#names.add(pattern);
    }
  }

  matches(name: string): boolean {
    return this.#names.has(name) || this.#beginnings.some((beginning) => name.startsWith(beginning));
  }
}

/** Lists that were asked before; a login keeps its list as long as it lives. */
const READY = new WeakMap<readonly string[], NamePatterns>();

/** Whether a list of patterns covers a name. No list covers everything. */
export function covers(patterns: readonly string[] | undefined, name: string): boolean {
  if (patterns === undefined) return true;
  let ready = READY.get(patterns);
  if (ready === undefined) READY.set(patterns, (ready = new NamePatterns(patterns)));
  return ready.matches(name);
}
