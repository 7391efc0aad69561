/** A message id as the existing clients make it: `<client id>_<ms since the epoch>_<8 hex>`. */
export function messageId(clientId: string, nowMs: number, hex8: string): string {
  return `${clientId}_${nowMs}_${hex8}`;
}
