import { Authenticator, type AuthDecision, type AuthRequest } from './authenticator.js';

/** Where a client certificate holds the client id: the common name, or a name of that kind among the alternative ones. */
export type CertificateName = 'cn' | 'dns' | 'uri';

const REFUSED: AuthDecision = { allowed: false };

/**
 * Lets in who has a client certificate (mTLS) for its client id; whether the certificate is good has been checked by
 * TLS. The login ends with the certificate.
 */
export class CertificateAuthenticator extends Authenticator {
  constructor(private readonly name: CertificateName) {
    super();
  }

  override get description(): string {
    return `client certificates (${this.name.toUpperCase()})`;
  }

  override authenticate({ clientId, tlsPeer, isRefresh }: AuthRequest): AuthDecision {
    // what TLS saw long ago proves nothing new
    if (tlsPeer === undefined || isRefresh === true) return REFUSED;
    if (!this.#namesOf(tlsPeer).includes(clientId)) return { allowed: false, reason: 'The certificate is not for this client id.' };
    const expiresAt = Date.parse(tlsPeer.valid_to) / 1000;
    return { allowed: true, credential: `certificate:${tlsPeer.fingerprint256}`, ...(Number.isFinite(expiresAt) ? { expiresAt } : {}) };
  }

  #namesOf({ subject, subjectaltname }: NonNullable<AuthRequest['tlsPeer']>): readonly string[] {
    if (this.name === 'cn') {
      // several common names come as an array
      const commonName: unknown = (subject as Partial<typeof subject> | undefined)?.CN;
      return Array.isArray(commonName) ? commonName.map(String) : typeof commonName === 'string' ? [commonName] : [];
    }
    return alternativeNames(subjectaltname ?? '', this.name === 'dns' ? 'DNS' : 'URI');
  }
}

/** Reads Node's list of alternative names, in which a name with a comma or a quote stands as a JSON string. */
function alternativeNames(list: string, kind: string): string[] {
  const names: string[] = [];
  for (const [, of, name] of list.matchAll(/([^:,\s][^:]*):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)) {
    if (of !== kind || name === undefined) continue;
    names.push(name.startsWith('"') ? String(JSON.parse(name)) : name);
  }
  return names;
}
