/** A message id as the existing clients make it: `<client id>_<ms since the epoch>_<8 hex>`. */
export function messageId(clientId: string, nowMs: number, hex8: string): string {
  return `${clientId}_${nowMs}_${hex8}`;
}

/**
 * Longest msg_id, in characters, of what is kept under it: a request that waits for its answer, a durable message. Longer
 * ones are not repeated in answers either.
 */
export const MAX_MSG_ID_LENGTH = 1_024;
