import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  CrossCommError,
  ERROR_CODES,
  listRequestContent,
  listResponseContent,
  loginContent,
  loginErrorContent,
  loginSuccessContent,
  parseAnnouncement,
  parseListRequest,
  parseListResponse,
  parseLoginAnswer,
  parseRequest,
  replyTo,
  type ErrorCode,
} from '../../src/protocol/index.js';

const overTheWire = (content: unknown): unknown => JSON.parse(JSON.stringify(content)) as unknown;
const features = fc.array(fc.string(), { maxLength: 5 });
const anyCode = fc.constantFrom(...(Object.keys(ERROR_CODES) as ErrorCode[]));

describe('The handshake', () => {
  test('an announcement is read as it was made', () => {
    fc.assert(
      fc.property(features, fc.integer({ min: 1_024, max: 1e9 }), (list, maxMessageBytes) => {
        const announcement = { protocol: 2, features: list, maxMessageBytes };
        expect(parseAnnouncement(overTheWire(loginContent(announcement)))).toEqual(announcement);
      }),
    );
  });

  test('whatever else a login holds announces nothing or is refused, never anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.record({ cross_comm: fc.jsonValue() }), fc.record({ cross_comm: fc.record({ protocol: fc.jsonValue(), features: fc.jsonValue(), limits: fc.jsonValue() }) })), (content) => {
        try {
          const read = parseAnnouncement(content);
          if (read !== undefined) expect(read.protocol).toBe(2);
        } catch (error) {
          expect(error).toMatchObject({ code: 'CC_INVALID_ENVELOPE' });
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a welcome is read as it was made', () => {
    const ms = fc.integer({ min: 1, max: 1e6 }).map((seconds) => seconds * 1_000);
    fc.assert(
      fc.property(features, fc.uuid(), ms, ms, fc.integer({ min: 1 }), (list, session, heartbeatIntervalMs, heartbeatTimeoutMs, limit) => {
        const welcome = { protocol: 2, session, features: list, limits: { maxMessageBytes: limit, maxNestingDepth: limit, maxUnacked: limit, maxUnackedBytes: limit, duplicateWindowMs: heartbeatTimeoutMs }, heartbeatIntervalMs, heartbeatTimeoutMs, expiresInMs: heartbeatIntervalMs };
        expect(parseLoginAnswer(overTheWire(loginSuccessContent(welcome)))).toEqual({ status: 'success', welcome });
      }),
    );
  });

  test('the answer to an old client and of an old server is the same and welcomes nobody', () => {
    expect(loginSuccessContent(undefined)).toEqual({ status: 'success' });
    expect(parseLoginAnswer({ status: 'success' })).toEqual({ status: 'success', welcome: undefined });
  });

  test('no answer of a server makes the reader throw', () => {
    fc.assert(fc.property(fc.oneof(fc.jsonValue(), fc.record({ status: fc.constantFrom('success', 'error'), cross_comm: fc.jsonValue(), code: fc.jsonValue() })), (content) => void parseLoginAnswer(content)));
  });

  test('a refusal is read as it was made', () => {
    fc.assert(
      fc.property(anyCode, fc.option(fc.string({ minLength: 1 }).filter((text) => text.trim() === text), { nil: undefined }), (code, detail) => {
        const error = new CrossCommError(code, { ...(detail === undefined ? {} : { detail }), retryAfter: 1.5, data: { a: 1 } });
        const answer = parseLoginAnswer(overTheWire(loginErrorContent(error.toWire())));
        expect(answer).toMatchObject({ status: 'error', error: { code, message: error.message, retryAfter: 1.5, data: { a: 1 } } });
      }),
    );
  });

  test('an unknown code becomes the fallback and keeps its text', () => {
    const error = CrossCommError.fromWire({ code: 'CC_FROM_THE_FUTURE', message: 'news' }, 'CC_LOGIN_REFUSED');
    expect(error).toMatchObject({ code: 'CC_LOGIN_REFUSED', detail: 'news' });
    expect(CrossCommError.fromWire({ code: 'toString' }).code).toBe('CC_INTERNAL');
    expect(CrossCommError.fromWire(null).code).toBe('CC_INTERNAL');
  });
});

describe('Lists and requests', () => {
  test('a list request and its answer are read as they were made', () => {
    for (const online of [true, false]) expect(parseListRequest(listRequestContent(online))).toBe(online);
    const clients = [{ client_id: 'a', status: 'online' as const, last_heartbeat: 1.5, login_time: 1 }];
    expect(parseListResponse(listResponseContent(clients, true))).toEqual({ clients: [{ clientId: 'a', status: 'online', lastHeartbeat: 1.5, loginTime: 1 }], totalCount: 1, onlyShowOnline: true });
  });

  test('no list request can make the answer fail', () => {
    fc.assert(fc.property(fc.oneof(fc.jsonValue(), fc.json(), fc.record({ only_show_online: fc.jsonValue() })), (content) => void listResponseContent([], parseListRequest(content))));
  });

  test('the odd lists of a Python server are read: numbers, null and objects as ids', () => {
    const list = parseListResponse({ clients: [{ client_id: 5, status: 'online', last_heartbeat: 'x' }, { client_id: null }], total_count: 9 });
    expect(list.clients).toEqual([
      { clientId: '5', status: 'online', lastHeartbeat: 0, loginTime: 0 },
      { clientId: 'null', status: 'offline', lastHeartbeat: 0, loginTime: 0 },
    ]);
    for (const bad of ['{nope', '5', null, {}, { clients: 5 }]) expect(() => parseListResponse(bad)).toThrow(expect.objectContaining({ code: 'CC_INVALID_CONTENT' }));
  });

  test('a request names its action', () => {
    expect(parseRequest({ action: 'files.head', data: { key: 'k' } })).toEqual({ action: 'files.head', data: { key: 'k' } });
    expect(parseRequest({ action: 'x' })).toEqual({ action: 'x', data: null });
    for (const bad of [null, 'x', {}, { action: 5 }, { action: '' }, { action: 'x'.repeat(129) }])
      expect(() => parseRequest(bad)).toThrow(expect.objectContaining({ code: 'CC_INVALID_CONTENT' }));
    expect([replyTo({ reply_to: 'm1' }), replyTo({ reply_to: null }), replyTo(null), replyTo('m1')]).toEqual(['m1', undefined, undefined, undefined]);
  });
});
