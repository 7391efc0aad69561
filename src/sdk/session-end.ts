import { CLOSE_MEANINGS, CrossCommError, type CloseMeaning } from '../protocol/index.js';

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
  const init = { data: { closeCode: code }, cause };
  const detail = detailOf(cause, reason);
  if (phase === 'connecting') return { error: new CrossCommError('CC_CONNECT_FAILED', { ...init, detail }), reconnect: true };
  const meaning = (CLOSE_MEANINGS as Readonly<Partial<Record<number, CloseMeaning>>>)[code];
  if (meaning) return { error: new CrossCommError(meaning.error, { ...init, detail }), reconnect: meaning.reconnect };
  const lost = `The connection was lost (close code ${code}${reason && `, ${reason}`}).`;
  return { error: new CrossCommError('CC_NOT_CONNECTED', { ...init, detail: lost }), reconnect: true };
}

/** What a failure says of itself, as the detail of an error. */
export function detailOf(cause: unknown, otherwise = ''): string {
  const because = cause instanceof Error ? cause.message.trim() : otherwise;
  return because && `${because}.`;
}
