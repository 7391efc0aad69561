import { Injectable } from '@nestjs/common';
import { RequestHandler } from '../../src/index.js';
import { MailStore } from '../../src/delivery/index.js';
import { CrossCommError } from '../../src/protocol/index.js';
import { UNLIMITED } from '../support/open-hub.js';
import { SECRET } from '../support/jwt.js';
import { confirm, seqOf } from '../support/mail-client.js';
import { RawClient } from '../support/raw-client.js';
import { frameTextWithContent } from '../support/wire.js';
import { action, bobWithMailbox, message, type ErrorRows, type Provoke } from './stage.js';

@Injectable()
class Failing {
  @RequestHandler('fail')
  fail(): never {
    throw new Error('a text that is not for clients');
  }
}

const text = (frame: string): Provoke => ({ alice }) => alice.send(frame);
const member = (name: string): object => ({ data: { to_client_id: name } });
const readable = { data: { msgId: 'm' } } as const;
/** Old clients cannot ask at all. */
const asked = { oldCounted: 'bad_frame' } as const;

/** Every refusal that is told in an `error` frame. Each is provoked, by a client of protocol 2 and by an old one. */
export const ERROR_ROWS = {
  CC_INVALID_FRAME: [
    { provoke: text('[]'), detail: 'It is not an object.', replyTo: null, counted: 'bad_frame' },
    { provoke: ({ alice }) => alice.send(Buffer.from([0xc3, 0x28])), detail: 'The binary frame is not utf-8.', replyTo: null, counted: 'bad_frame' },
  ],
  CC_INVALID_ENVELOPE: { provoke: text('{"msg_id": "m", "from_client_id": "alice", "to_client_id": "bob", "msg_type": "text", "timestamp": 1}'), detail: 'content is missing.', ...readable, counted: 'bad_frame' },
  CC_UNKNOWN_KEY: { provoke: message('bob', 'x', { trace_id: 7 }), detail: 'The key is "trace_id".', ...readable, counted: 'bad_frame' },
  CC_UNKNOWN_TYPE: { provoke: message('bob', 'x', { msg_type: 'audio' }), detail: 'The type is "audio".', ...readable, counted: 'bad_frame' },
  CC_TYPE_NOT_ALLOWED: { provoke: message('bob', {}, { msg_type: 'ack' }), detail: 'The type is "ack".', counted: 'bad_frame' },
  CC_TOO_DEEP: { options: { maxNestingDepth: 3 }, provoke: text(frameTextWithContent('alice', 'bob', '[[[[]]]]').replace(/"m-[0-9a-f]+"/, '"m"')), detail: 'The limit is 3.', ...readable, counted: 'bad_frame' },
  CC_IDENTITY_MISMATCH: { provoke: message('bob', 'x', { from_client_id: 'carol' }), counted: 'bad_frame' },
  CC_NOT_LOGGED_IN: { provoke: (stage) => { stage.alice.send({ msg_type: 'logout', content: {} }); message('bob')(stage); }, counted: 'bad_frame' },
  CC_NOT_ALLOWED: [
    { options: { auth: { rules: [{ clientId: 'alice', send: [] }] } }, provoke: message('bob'), ...member('bob'), counted: 'not_allowed' },
    { options: { auth: { rules: [{ clientId: 'alice', join: [] }] } }, provoke: action('groups.join', { group: 'g' }), data: { group: 'g' }, counted: 'not_allowed', ...asked },
    { options: { auth: { rules: [{ clientId: 'alice', watch: [] }] } }, provoke: action('presence.watch', { client_ids: ['bob'] }), data: { target: 'bob' }, counted: 'not_allowed', ...asked },
    { options: { auth: { rules: [{ clientId: 'alice', request: [] }] } }, provoke: action('anything'), ...member('server'), counted: 'not_allowed', ...asked },
    { options: { auth: { rules: [{ clientId: 'alice', list: false }] } }, provoke: ({ alice, isOld }) => isOld || alice.send({ msg_type: 'list_clients', msg_id: 'm', content: '{}' }), data: {}, counted: 'not_allowed', oldCounted: 'nothing' },
  ],
  CC_UNKNOWN_CLIENT: [
    { provoke: message('bob'), ...member('bob') },
    { provoke: ({ alice }) => alice.send({ msg_type: 'request', msg_id: 'm', to_client_id: 'bob', content: { action: 'a' } }), ...member('bob'), ...asked },
  ],
  CC_UNKNOWN_GROUP: { provoke: message('group:g'), ...member('group:g') },
  CC_RECEIVER_LIMIT: { provoke: async (stage) => { await RawClient.announced(stage.hub.url, 'bob', { max_message_bytes: 1_024 }); message('bob', 'x'.repeat(2_000))(stage); }, ...member('bob') },
  CC_RATE_LIMITED: [
    { options: { messagesPerSecond: 10 }, provoke: ({ alice }) => { for (let n = 0; n < 22; n++) alice.send({ to_client_id: 'server' }); }, detail: 'More than 10 messages or 16777216 bytes per second.', replyTo: null, retryAfter: true, counted: 'message_rate' },
    { options: { ...UNLIMITED, bytesPerSecond: 1_000 }, provoke: ({ alice }) => alice.send({ to_client_id: 'server', content: 'x'.repeat(2_000) }), detail: 'More than 1000 bytes per second.', replyTo: null, retryAfter: true, counted: 'message_rate' },
    { options: { loginsPerSecond: 0.1, loginBurst: 2 }, provoke: (stage) => { for (let n = 0; n < 2; n++) action('auth.refresh', { token: 't' })(stage); }, detail: 'Too many logins from this address.', retryAfter: true, counted: 'login_rate', ...asked },
  ],
  CC_AUTH_FAILED: { options: { auth: { authenticator: ({ isRefresh }) => ({ allowed: isRefresh !== true, reason: 'Not this one.' }) } }, provoke: action('auth.refresh', { token: 't' }), detail: 'Not this one.', counted: 'auth_failed', ...asked },
  CC_MAILBOX_FULL: [
    { options: { delivery: { mailboxMaxMessages: 1 } }, provoke: async (stage) => { await bobWithMailbox(stage, true); message('bob', 'first', { msg_id: 'first' })(stage); message('bob')(stage); }, data: { to_client_id: 'bob', limit: 'messages' }, retryAfter: true, counted: 'mailbox_full', oldCounted: 'nothing' },
    { options: { delivery: { mailboxMaxBytes: 65_536 } }, provoke: async (stage) => { await bobWithMailbox(stage, true); message('bob', 'x'.repeat(66_000))(stage); }, data: { to_client_id: 'bob', limit: 'bytes' }, retryAfter: true, counted: 'mailbox_full', oldCounted: 'nothing' },
  ],
  CC_STORE_FULL: { options: { delivery: { store: 'memory', maxStoreBytes: 1_048_576 } }, provoke: async (stage) => { await bobWithMailbox(stage, true); for (const id of ['1', '2', 'm']) message('bob', 'x'.repeat(400_000), { msg_id: id })(stage); }, detail: 'maxStoreBytes is reached.', retryAfter: true, counted: 'store', oldCounted: 'nothing' },
  CC_STORE_FAILED: {
    provoke: async (stage) => {
      await bobWithMailbox(stage, true);
      stage.hub.app.get(MailStore).put = () => { throw new CrossCommError('CC_STORE_FAILED'); };
      message('bob')(stage);
    },
    counted: 'store',
    oldCounted: 'nothing',
  },
  CC_EXPIRED: { provoke: async (stage) => { await bobWithMailbox(stage, true); message('bob', 'x', { ext: { ttl: 0.05, receipt: 'processed' } })(stage); }, data: { to_client_id: 'bob', why: 'expired' }, oldCounted: 'bad_frame' },
  CC_DEAD_LETTER: {
    provoke: async (stage) => {
      const bob = await bobWithMailbox(stage, false);
      message('bob', 'x', { ext: { receipt: 'processed' } })(stage);
      if (!stage.isOld) confirm(bob, { rejected: [{ seq: seqOf(await bob.next()), dead: true }] });
    },
    data: { to_client_id: 'bob', why: 'rejected' },
    oldCounted: 'bad_frame',
  },
  CC_INVALID_CLIENT_ID: { provoke: action('groups.join', { group: '' }), detail: 'The name of a group: It is empty.', ...asked },
  CC_LIMIT_REACHED: [
    { options: { delivery: { maxGroups: 0 } }, provoke: action('groups.join', { group: 'g' }), detail: 'There are too many groups.', data: { limit: 'maxGroups', value: 0 }, counted: 'limit', ...asked },
    { options: { delivery: { maxGroupsPerClient: 0 } }, provoke: action('groups.join', { group: 'g' }), detail: 'The client is in too many groups.', data: { limit: 'maxGroupsPerClient', value: 0 }, counted: 'limit', ...asked },
    { options: { delivery: { maxWatches: 0 } }, provoke: action('presence.watch', { client_ids: ['bob'] }), detail: 'The client watches too much.', data: { limit: 'maxWatches', value: 0 }, counted: 'limit', ...asked },
    {
      options: { delivery: { maxPendingRequests: 1 } },
      provoke: async ({ hub, alice }) => {
        const bob = await RawClient.connect(hub.url);
        await bob.login('bob', { cross_comm: { protocol: 2, features: ['calls'] } });
        for (const msg_id of ['1', 'm']) alice.send({ msg_type: 'request', msg_id, to_client_id: 'bob', content: { action: 'a' } });
      },
      detail: 'Too many requests wait for their answer.',
      data: { limit: 'maxPendingRequests', value: 1 },
      counted: 'limit',
      ...asked,
    },
  ],
  CC_INVALID_CONTENT: [
    { provoke: ({ alice }) => alice.send({ msg_type: 'request', msg_id: 'm', content: {} }), detail: 'A request needs {"action": string, "data": any}.', ...asked },
    { provoke: message('all', 'x', { ext: { delivery: 'durable' } }), detail: 'A message to all or to the hub cannot be durable.', counted: 'bad_frame' },
  ],
  CC_UNKNOWN_ACTION: { provoke: action('no.such'), detail: 'The action is "no.such".', ...asked },
  CC_UNSUPPORTED: { provoke: async ({ hub, alice }) => { await RawClient.old(hub.url, 'bob'); alice.send({ msg_type: 'request', msg_id: 'm', to_client_id: 'bob', content: { action: 'a' } }); }, detail: 'The client does not answer requests.', ...member('bob'), ...asked },
  CC_TIMEOUT: {
    provoke: async ({ hub, alice }) => {
      const bob = await RawClient.connect(hub.url);
      await bob.login('bob', { cross_comm: { protocol: 2, features: ['calls'] } });
      alice.send({ msg_type: 'request', msg_id: 'm', to_client_id: 'bob', content: { action: 'a', timeout_ms: 20 } });
    },
    ...asked,
  },
  CC_HANDLER_FAILED: { options: { providers: [Failing] }, provoke: action('fail'), ...asked },
  CC_INTERNAL: { options: { auth: { authenticator: ({ isRefresh }) => { if (isRefresh) throw new Error(SECRET); return { allowed: true }; } } }, provoke: action('auth.refresh', { token: 't' }), detail: 'The authentication could not decide.', ...asked, counted: 'undecided' },
  CC_FILE_NOT_FOUND: { options: { storage: { driver: 'embedded' } }, provoke: action('files.head', { key: 'cross_comm/alice/1_00000000.txt' }), detail: 'The specified key does not exist.', ...asked },
  CC_UNSAFE_PATH: { options: { storage: { driver: 'embedded' } }, provoke: action('files.head', { key: 'cross_comm/../x' }), detail: 'The key is not a safe relative path.', ...asked },
  CC_STORAGE_DENIED: { options: { storage: { driver: 'embedded' } }, provoke: action('files.sign', { requests: [{ method: 'PUT', key: 'cross_comm/bob/1_00000000.txt' }] }), detail: 'Only keys below your own prefix can be written.', ...asked },
} satisfies ErrorRows;
