import type { RefusalKind } from '../../src/security/index.js';
import type { TestHubOptions } from '../../src/testing/index.js';
import { SECRET } from '../support/jwt.js';

/** One reason to answer an upgrade with HTTP, by what it is counted as. */
interface UpgradeRow {
  readonly options: TestHubOptions;
  /** What the request says besides. */
  readonly header?: string;
  readonly status: string;
  readonly headers?: readonly string[];
}

export const UPGRADE_ROWS = {
  origin: { options: { allowedOrigins: ['https://app.example'] }, header: 'Origin: https://evil.example', status: '403 Forbidden' },
  hub_full: { options: { maxConnections: 1 }, status: '503 Service Unavailable', headers: ['Retry-After: 5'] },
  address_full: { options: { maxConnectionsPerAddress: 1 }, status: '429 Too Many Requests', headers: ['Retry-After: 5'] },
  upgrade_auth: { options: { auth: { jwt: { secret: SECRET } } }, header: 'Authorization: Bearer x.y.z', status: '401 Unauthorized', headers: ['WWW-Authenticate: Bearer error="invalid_token"'] },
} satisfies Partial<Record<RefusalKind, UpgradeRow>> as Readonly<Record<string, UpgradeRow>>;
