/** Reads an `Authorization` header of HTTP Basic (RFC 7617); undefined when it is none. */
export function basicCredentials(header: string | undefined): { readonly user: string; readonly password: string } | undefined {
  const [, encoded] = /^basic ([a-z0-9+/=_-]+)$/i.exec(header?.trim() ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Reads an `Authorization` header of the scheme Bearer (RFC 6750); undefined when it is none. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^bearer ([\w.~+/=-]+)$/i.exec(header?.trim() ?? '')?.[1];
}
