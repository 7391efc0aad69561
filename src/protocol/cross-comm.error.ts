import { ERROR_CODES, type ErrorCode } from './error-code.js';

/** What a {@link CrossCommError} may carry besides its code. */
export interface CrossCommErrorInit {
  /** What exactly was wrong; put before the remedy in `message`. */
  readonly detail?: string | undefined;
  /** The whole text behind the code, instead of detail and remedy: an error from the wire keeps its words. */
  readonly text?: string | undefined;
  /** Machine readable facts, e.g. `{ key: 'trace_id' }`. Never secrets or message contents. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

const BRAND: unique symbol = Symbol.for('cross-comm:error') as never;

/**
 * The one error class of hub, SDK and CLI.
 *
 * Branch on `code`, never on the text. `instanceof` also holds across two installed copies of the package.
 */
export class CrossCommError extends Error {
  override readonly name = 'CrossCommError';
  // "declare" only keeps their names from being written once more into the browser's bundle
  declare readonly code: ErrorCode;
  declare readonly retryable: boolean;
  declare readonly detail: string | undefined;
  declare readonly data: Readonly<Record<string, unknown>> | undefined;
  declare readonly retryAfter: number | undefined;
  readonly [BRAND] = true;

  constructor(code: ErrorCode, init: CrossCommErrorInit | string = {}) {
    const { detail, text, data, retryAfter, cause } = typeof init === 'string' ? ({ detail: init } as CrossCommErrorInit) : init;
    const message = text ?? [detail, ERROR_CODES[code].text].filter(Boolean).join(' ');
    super(`${code}: ${message}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.detail = detail;
    this.data = data;
    this.retryAfter = retryAfter;
  }

  /** {@link retryAfter} in milliseconds. */
  get retryAfterMs(): number | undefined {
    return this.retryAfter && this.retryAfter * 1000;
  }

  /** Keeps a CrossCommError as it is and wraps anything else as `CC_INTERNAL` (or the given code) with its cause. */
  static from(error: unknown, code: ErrorCode = 'CC_INTERNAL'): CrossCommError {
    if (error instanceof CrossCommError) return error;
    return new CrossCommError(code, { detail: `${error instanceof Error ? error.message : String(error)}.`, cause: error });
  }

  /** What travels in the content of an `error` frame and of a refused `login_response`. */
  toWire(): WireError {
    return {
      code: this.code,
      message: this.message,
      // JSON leaves out what is undefined
      retry_after: this.retryAfter,
      data: this.data,
    };
  }

  /** The counterpart of {@link toWire}; codes this version does not know become `fallback`. */
  static fromWire(wire: unknown, fallback: ErrorCode = 'CC_INTERNAL'): CrossCommError {
    const { code: given, message, retry_after, data } = (wire ?? {}) as Partial<WireError>;
    const code = typeof given === 'string' && Object.hasOwn(ERROR_CODES, given) ? (given as ErrorCode) : fallback;
    const prefix = `${code}: `;
    const text = typeof message === 'string' ? message.slice(message.startsWith(prefix) ? prefix.length : 0) : '';
    const remedy = ERROR_CODES[code].text;
    const detail = text.endsWith(remedy) ? text.slice(0, text.length - remedy.length).trim() : text;
    return new CrossCommError(code, {
      text: text || undefined,
      detail: detail || undefined,
      retryAfter: typeof retry_after === 'number' ? retry_after : undefined,
      data: typeof data === 'object' && data !== null ? data : undefined,
    });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return (value as Record<symbol, unknown> | null | undefined)?.[BRAND] === true;
  }
}

/** An error as it travels; `retry_after` in seconds. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly retry_after?: number | undefined;
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}
