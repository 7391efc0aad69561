import { CrossCommError } from './cross-comm.error.js';

/**
 * Parses JSON as Python's `json.loads` reads it: strict JSON plus bare `NaN`, `Infinity` and `-Infinity`
 * (wire facts 3 and 8.6). Used only for text that `JSON.parse` refused, so it may be slower than that.
 *
 * @throws CrossCommError `CC_INVALID_FRAME` for anything else, `CC_TOO_DEEP` beyond `maxDepth`
 */
export function parsePythonJson(text: string, maxDepth: number): unknown {
  const reader = new PythonJsonReader(text, maxDepth);
  return reader.document();
}

const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const SPACE = /[ \t\n\r]*/y;
const WORDS: ReadonlyArray<readonly [string, unknown]> = [
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['null', null],
  ['true', true],
  ['false', false],
];

class PythonJsonReader {
  #at = 0;

  constructor(
    private readonly text: string,
    private readonly maxDepth: number,
  ) {}

  document(): unknown {
    const value = this.#value(0);
    this.#take(SPACE);
    if (this.#at !== this.text.length) throw this.#invalid();
    return value;
  }

  #value(depth: number): unknown {
    this.#take(SPACE);
    const next = this.text[this.#at];
    if (next === '{') return this.#object(depth + 1);
    if (next === '[') return this.#array(depth + 1);
    if (next === '"') return this.#string();
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    const number = this.#take(NUMBER);
    if (number === undefined || number === '') throw this.#invalid();
    return Number(number);
  }

  #object(depth: number): Record<string, unknown> {
    this.#enter(depth);
    const object: Record<string, unknown> = {};
    if (this.#sees('}')) return object;
    do {
      this.#take(SPACE);
      const key = this.#string();
      if (!this.#sees(':')) throw this.#invalid();
      const value = this.#value(depth);
      // defineProperty: a key "__proto__" is data here, as in JSON.parse
      Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
    } while (this.#sees(','));
    if (!this.#sees('}')) throw this.#invalid();
    return object;
  }

  #array(depth: number): unknown[] {
    this.#enter(depth);
    const array: unknown[] = [];
    if (this.#sees(']')) return array;
    do array.push(this.#value(depth));
    while (this.#sees(','));
    if (!this.#sees(']')) throw this.#invalid();
    return array;
  }

  #string(): string {
    const literal = this.#take(STRING);
    if (literal === undefined) throw this.#invalid();
    return JSON.parse(literal) as string;
  }

  #enter(depth: number): void {
    if (depth > this.maxDepth) throw new CrossCommError('CC_TOO_DEEP', `The limit is ${this.maxDepth}.`);
    this.#at++;
  }

  #sees(character: string): boolean {
    this.#take(SPACE);
    if (this.text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.text)?.[0];
    if (match !== undefined) this.#at += match.length;
    return match;
  }

  #invalid(): CrossCommError {
    return new CrossCommError('CC_INVALID_FRAME', `It is not JSON at character ${this.#at}.`);
  }
}
