import { CLOSE_MEANINGS, CrossCommError } from '../protocol/index.js';

/** Why a session is over, and whether connecting again makes sense. */
export interface SessionEnd {
  readonly error: CrossCommError;
  readonly reconnect: boolean;
}

/** What a socket said when it closed. */
export interface SocketClose {
  readonly phase: string;
  readonly code: number;
  readonly reason: string;
  readonly error: unknown;
}

/** Reads a close: our codes by their table, everything else (1006, 1000 and 1001 of a Python server) as a loss. */
export function sessionEnd({ phase, code, reason, error: cause }: SocketClose): SessionEnd {
  const because = cause instanceof Error ? `${cause.message}.` : undefined;
  const init = { data: { closeCode: code }, ...(cause === undefined ? {} : { cause }) };
  if (phase === 'connecting')
    return { error: new CrossCommError('CC_CONNECT_FAILED', because === undefined ? init : { ...init, detail: because }), reconnect: true };
  const meaning = Object.hasOwn(CLOSE_MEANINGS, code) ? CLOSE_MEANINGS[code as keyof typeof CLOSE_MEANINGS] : undefined;
  if (meaning !== undefined)
    return { error: new CrossCommError(meaning.error, reason === '' ? init : { ...init, detail: `${reason}.` }), reconnect: meaning.reconnect };
  const detail = `The connection was lost (close code ${code}${reason === '' ? '' : `, ${reason}`}).`;
  return { error: new CrossCommError('CC_NOT_CONNECTED', { ...init, detail }), reconnect: true };
}
