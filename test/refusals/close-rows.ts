import type { Socket } from 'node:net';
import type { CloseCode, ErrorCode } from '../../src/protocol/index.js';
import { until } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { clientFrame } from '../support/raw-socket.js';
import type { RefusalKind } from '../../src/security/index.js';
import type { TestHubOptions } from '../../src/testing/index.js';
import type { Stage } from './stage.js';

/** Logs alice in, as an old client or with protocol 2. */
type Login = (id?: string, more?: object) => unknown;

/** One way in which the hub ends the connection of alice. */
export interface CloseRow {
  readonly what: string;
  readonly options?: TestHubOptions;
  /** Whether alice is not logged in yet; `provoke` does so, where it wants. */
  readonly isBeforeLogin?: true;
  readonly provoke: (stage: Stage, login: Login) => unknown;
  readonly reason: string;
  /** The error that a client of protocol 2 is told before: as answer to its login, or in an `error` frame with `reply_to` null. */
  readonly told?: { readonly as: 'login' | 'error'; readonly code: ErrorCode; readonly detail?: string; readonly retryAfter?: true };
  /** What it is counted as, and how often; absent: it is no refusal. */
  readonly counted?: Readonly<Partial<Record<RefusalKind, number>>>;
  /** Not for clients of one of the protocols. */
  readonly only?: 'protocol 2';
}

const refusedLogin = (code: ErrorCode, detail?: string): Pick<CloseRow, 'isBeforeLogin' | 'reason' | 'told' | 'counted'> => ({
  isBeforeLogin: true,
  reason: code,
  told: { as: 'login', code, ...(detail !== undefined && { detail }) },
  counted: code === 'CC_INTERNAL' ? { undecided: 1 } : { login_refused: 1 },
});

const flood = ({ alice }: Stage): void => {
  const timer = setInterval(() => {
    for (let n = 0; n < 10 && alice.socket.readyState === 1; n++) alice.send({ to_client_id: 'server' });
  }, 5);
  alice.socket.once('close', () => clearInterval(timer));
};

/** Every close code of the hub, by its name, and every way to it. */
export const CLOSE_ROWS: Readonly<Record<keyof typeof CloseCode, readonly CloseRow[]>> = {
  INVALID_DATA: [
    { what: 'text that is not UTF-8', provoke: ({ alice }) => (alice.socket as unknown as { _socket: Socket })._socket.write(clientFrame(1, Buffer.from([0xff]))), reason: '', counted: { bad_frame: 1 } },
  ],
  TOO_LARGE: [
    { what: 'a message beyond maxMessageBytes', options: { maxMessageBytes: 4_096 }, provoke: ({ alice }) => alice.send('x'.repeat(4_097)), reason: '', counted: { oversize: 1 } },
    { what: 'a frame beyond maxLoginBytes before login', isBeforeLogin: true, options: { maxLoginBytes: 512 }, provoke: ({ alice }) => alice.send('x'.repeat(513)), reason: '', counted: { oversize: 1 } },
    { what: 'frames that are together more than maxLoginBytes before login', isBeforeLogin: true, options: { maxLoginBytes: 512 }, provoke: ({ alice }) => { alice.send('x'.repeat(400)); alice.send('x'.repeat(400)); }, reason: 'more than 512 bytes before login', counted: { before_login: 1, bad_frame: 1 } },
  ],
  RESTART: [{ what: 'the shutdown of the hub', provoke: ({ hub }) => void hub.close(), reason: 'the hub shuts down; connect again later', told: { as: 'error', code: 'CC_SHUTTING_DOWN', retryAfter: true } }],
  LOGIN_TIMEOUT: [
    { what: 'no login within loginTimeoutMs', isBeforeLogin: true, options: { loginTimeoutMs: 50 }, provoke: () => undefined, reason: 'no login within 50 ms', counted: { login_timeout: 1 } },
    { what: 'no new login within loginTimeoutMs of a logout', options: { loginTimeoutMs: 50 }, provoke: ({ alice }) => alice.send({ msg_type: 'logout', content: {} }), reason: 'no login within 50 ms', counted: { login_timeout: 1 } },
    { what: 'a decision that comes never', isBeforeLogin: true, options: { loginTimeoutMs: 50, auth: { authenticator: () => new Promise(() => undefined) } }, provoke: (_stage, login) => login(), reason: 'no login within 50 ms', counted: { login_timeout: 1 } },
    { what: 'the end of a login', options: { auth: { authenticator: () => ({ allowed: true, expiresAt: Date.now() / 1000 + 0.1 }) } }, provoke: () => undefined, reason: 'the login has expired; log in again' },
  ],
  LOGIN_REFUSED: [
    { what: 'a reserved id', provoke: (_stage, login) => login('all'), ...refusedLogin('CC_INVALID_CLIENT_ID', '"all" is reserved.') },
    { what: 'an id beyond 256 bytes', provoke: (_stage, login) => login('x'.repeat(257)), ...refusedLogin('CC_INVALID_CLIENT_ID', 'It is longer than 256 bytes.') },
    { what: 'an announcement that cannot be read', only: 'protocol 2', provoke: (_stage, login) => login('alice', { features: 7 }), ...refusedLogin('CC_INVALID_ENVELOPE', 'cross_comm.features is not a list of strings.') },
    { what: 'a last will that cannot be sent', only: 'protocol 2', provoke: (_stage, login) => login('alice', { will: { to_client_id: 'bob', msg_type: 'text', content: 7 } }), ...refusedLogin('CC_INVALID_CONTENT', 'cross_comm.will of the type text has no string as content.') },
    { what: 'an id that is taken, with duplicateLogin "reject"', options: { duplicateLogin: 'reject' }, provoke: async ({ hub }, login) => { await RawClient.old(hub.url, 'alice'); login(); }, ...refusedLogin('CC_ALREADY_ONLINE') },
    { what: 'an authentication that fails', options: { auth: { authenticator: () => { throw new Error('down'); } } }, provoke: (_stage, login) => login(), ...refusedLogin('CC_INTERNAL', 'The authentication could not decide.') },
  ],
  HEARTBEAT_TIMEOUT: [{ what: 'silence', options: { heartbeatInterval: 0.05, heartbeatTimeout: 0.1 }, provoke: () => undefined, reason: 'silent for more than 0.1 s' }],
  REPLACED: [
    { what: 'a takeover', provoke: ({ hub }) => RawClient.old(hub.url, 'alice'), reason: 'a newer login with the same client id took over' },
  ],
  SLOW_RECEIVER: [
    {
      what: 'more than maxBufferedBytes unread',
      options: { maxBufferedBytes: 65_536, closeTimeoutMs: 4_000 },
      provoke: async ({ hub, alice }) => {
        const bob = await RawClient.old(hub.url, 'bob');
        alice.socket.pause();
        while (hub.registry.find('alice') !== undefined) {
          bob.send({ to_client_id: 'alice', content: 'x'.repeat(60_000) });
          await bob.expectNothingElse();
        }
        alice.socket.resume();
      },
      reason: 'more than 65536 bytes unread',
      counted: { slow_receiver: 1 },
    },
  ],
  RATE_LIMITED: [
    { what: 'more than maxLoginFrames before login', isBeforeLogin: true, options: { maxLoginFrames: 2 }, provoke: ({ alice }) => { for (let n = 0; n < 3; n++) alice.send('{}'); }, reason: 'more than 2 frames before login', counted: { before_login: 1, bad_frame: 2 } },
    {
      what: 'more logins than loginsPerSecond from its address',
      isBeforeLogin: true,
      options: { loginsPerSecond: 0.1, loginBurst: 1 },
      provoke: async ({ hub }, login) => { await RawClient.old(hub.url, 'bob'); login(); },
      reason: 'CC_RATE_LIMITED',
      told: { as: 'login', code: 'CC_RATE_LIMITED', detail: 'Too many logins from this address.', retryAfter: true },
      counted: { login_rate: 1 },
    },
    {
      what: 'more than messagesPerSecond for abuseSeconds',
      options: { messagesPerSecond: 20, bytesPerSecond: 0, abuseSeconds: 0.1 },
      provoke: flood,
      reason: 'faster than the message rate for too long',
      told: { as: 'error', code: 'CC_RATE_LIMITED', detail: 'More than 20 messages per second for 0.1 s.' },
      counted: { abuse: 1, message_rate: 1 },
    },
  ],
  AUTH_FAILED: [
    { what: 'wrong credentials', options: { auth: { authenticator: () => ({ allowed: false, reason: 'Not on Sundays.' }) } }, provoke: (_stage, login) => login(), ...refusedLogin('CC_AUTH_FAILED', 'Not on Sundays.'), counted: { auth_failed: 1 } },
    { what: 'credentials that are over', options: { auth: { authenticator: () => ({ allowed: true, expiresAt: 1 }) } }, provoke: (_stage, login) => login(), ...refusedLogin('CC_AUTH_FAILED', 'The credentials have expired.'), counted: { auth_failed: 1 } },
    { what: 'a login that is revoked', provoke: ({ hub }, login) => { hub.service.revoke('alice'); login(); }, ...refusedLogin('CC_AUTH_FAILED', 'The credentials have been revoked.'), counted: { revoked: 1 } },
    { what: 'revoking a login that stands', provoke: ({ hub }) => hub.service.revoke('alice'), reason: 'the login was revoked', counted: { revoked: 1 } },
  ],
  DISCONNECTED: [
    { what: 'disconnectClient', provoke: async ({ hub }) => { await until(() => hub.registry.onlineCount === 1, 'alice'); hub.service.disconnectClient('alice', 'on purpose'); }, reason: 'on purpose' },
  ],
};
