import { HttpException } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { CrossCommError, type ErrorCode } from '../protocol/index.js';

/** What the client is told of a handler that threw. */
export interface HandlerError {
  readonly coded: CrossCommError;
  /** Whether it was thrown to be told to the client; else it is a fault that belongs into the log. */
  readonly isExpected: boolean;
}

/** Codes of Nest's exceptions: guards and validation throw them, too. */
const CODE_OF_STATUS: Readonly<Partial<Record<number, ErrorCode>>> = { 400: 'CC_INVALID_CONTENT', 401: 'CC_NOT_ALLOWED', 403: 'CC_NOT_ALLOWED' };

/**
 * Brings what a `@RequestHandler` threw into the form that travels: a CrossCommError as it is, Nest's exceptions with
 * their text, which is meant for clients. Of anything else nothing but the failure is told: it may hold secrets.
 */
export function handlerError(error: unknown): HandlerError {
  if (error instanceof CrossCommError) return { coded: error, isExpected: error.code !== 'CC_INTERNAL' };
  if (error instanceof HttpException) {
    const coded = new CrossCommError(CODE_OF_STATUS[error.getStatus()] ?? 'CC_HANDLER_FAILED', { detail: `${error.message}.`, cause: error });
    return { coded, isExpected: error.getStatus() < 500 };
  }
  if (error instanceof WsException) return { coded: new CrossCommError('CC_HANDLER_FAILED', { detail: `${error.message}.`, cause: error }), isExpected: true };
  return { coded: new CrossCommError('CC_HANDLER_FAILED', { cause: error }), isExpected: false };
}
