/**
 * Whether a browser page from `origin` may connect. Programs send no Origin and pass; a page passes when its origin is
 * listed exactly (`https://app.example.com`) or the list holds `*`. Without this rule any web page a user visits
 * could talk to a hub on the user's machine.
 */
export function isOriginAllowed(origin: string | undefined, allowedOrigins: readonly string[]): boolean {
  if (origin === undefined) return true;
  return allowedOrigins.includes('*') || allowedOrigins.includes(origin);
}
