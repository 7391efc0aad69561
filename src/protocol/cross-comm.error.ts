import { ERROR_CODES, type ErrorCode } from './error-code.js';

/** What a {@link CrossCommError} may carry besides its code. */
export interface CrossCommErrorInit {
  /** What exactly was wrong; put before the remedy in `message`. */
  readonly detail?: string;
  /** Machine readable facts, e.g. `{ key: 'trace_id' }`. Never secrets or message contents. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number;
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
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly detail: string | undefined;
  readonly data: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfter: number | undefined;
  readonly [BRAND] = true;

  constructor(code: ErrorCode, init: CrossCommErrorInit | string = {}) {
    const { detail, data, retryAfter, cause } = typeof init === 'string' ? ({ detail: init } as CrossCommErrorInit) : init;
    super(`${code}: ${detail === undefined ? '' : `${detail} `}${ERROR_CODES[code].text}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.detail = detail;
    this.data = data;
    this.retryAfter = retryAfter;
  }

  /** Keeps a CrossCommError as it is and wraps anything else as `CC_INTERNAL` (or the given code) with its cause. */
  static from(error: unknown, code: ErrorCode = 'CC_INTERNAL'): CrossCommError {
    if (error instanceof CrossCommError) return error;
    return new CrossCommError(code, { detail: error instanceof Error ? `${error.message}.` : `${String(error)}.`, cause: error });
  }

  /** What travels in the content of an `error` frame and of a refused `login_response`. */
  toWire(): WireError {
    return {
      code: this.code,
      message: this.message,
      ...(this.retryAfter === undefined ? {} : { retry_after: this.retryAfter }),
      ...(this.data === undefined ? {} : { data: this.data }),
    };
  }

  /** The counterpart of {@link toWire}; codes this version does not know become `fallback`. */
  static fromWire(wire: unknown, fallback: ErrorCode = 'CC_INTERNAL'): CrossCommError {
    const w = (typeof wire === 'object' && wire !== null ? wire : {}) as Partial<WireError>;
    const code = typeof w.code === 'string' && Object.hasOwn(ERROR_CODES, w.code) ? (w.code as ErrorCode) : fallback;
    const prefix = `${code}: `;
    const text = typeof w.message === 'string' ? w.message : undefined;
    const body = text?.startsWith(prefix) ? text.slice(prefix.length) : text;
    const remedy = ERROR_CODES[code].text;
    const detail = body?.endsWith(remedy) ? body.slice(0, -remedy.length).trim() : body;
    return new CrossCommError(code, {
      ...(detail ? { detail } : {}),
      ...(typeof w.retry_after === 'number' ? { retryAfter: w.retry_after } : {}),
      ...(typeof w.data === 'object' && w.data !== null ? { data: w.data } : {}),
    });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[BRAND] === true;
  }
}

/** An error as it travels; `retry_after` in seconds. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly retry_after?: number;
  readonly data?: Readonly<Record<string, unknown>>;
}
