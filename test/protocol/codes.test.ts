import { describe, expect, test } from '@jest/globals';
import {
  ATTACHMENT_TYPES,
  CLOSE_MEANINGS,
  CloseCode,
  CommMsgType,
  CrossCommError,
  ERROR_CODES,
  USER_MESSAGE_TYPES,
  isAttachmentType,
  roleOf,
} from '../../src/protocol/index.js';
import { ERROR_CODES as BROWSER_CODES } from '../../src/protocol/error-code.browser.js';
import { ClientsOptions } from '../../src/clients/index.js';
import { GatewayOptions } from '../../src/gateway/index.js';

describe('Error codes', () => {
  const entries = Object.entries(ERROR_CODES);

  test.each(entries)('%s says what happened and ends in the remedy', (code, { text }) => {
    expect(code).toMatch(/^CC_[A-Z]+(_[A-Z]+)*$/);
    expect(text).toMatch(/^\S.*\. [A-Z].*[a-z)}.]$/);
  });

  test('a browser has the same codes with the same retryable, and its own short texts', () => {
    const retryable = (codes: typeof BROWSER_CODES) => Object.fromEntries(Object.entries(codes).map(([code, entry]) => [code, entry.retryable]));
    expect(retryable(BROWSER_CODES)).toEqual(retryable(ERROR_CODES));
    for (const { text } of Object.values(BROWSER_CODES)) expect(text).toMatch(/^(?:|[A-Z].*\.)$/);
  });

  test('the text that came over the wire is kept, and the remedy is not said twice', () => {
    const wire = new CrossCommError('CC_TOO_LARGE', 'It takes 9 bytes.').toWire();
    expect(CrossCommError.fromWire(wire)).toMatchObject({ message: wire.message, detail: 'It takes 9 bytes.' });
    expect(CrossCommError.fromWire({ ...wire, message: 'CC_TOO_LARGE: Other words.' }).message).toBe('CC_TOO_LARGE: Other words.');
  });

  test('no text stands twice', () => {
    expect(new Set(entries.map(([, { text }]) => text)).size).toBe(entries.length);
  });

  test('options that a text names exist', () => {
    const known = new Set([...Object.keys(new GatewayOptions()), ...Object.keys(new ClientsOptions()), 'queueMaxMessages', 'queueMaxBytes']);
    const named = entries.flatMap(([, { text }]) => text.match(/\b(?:max|queue|heartbeat|login)[A-Z]\w+/g) ?? []);
    expect(named.filter((option) => !known.has(option))).toEqual([]);
    expect(named.length).toBeGreaterThan(3);
  });

  test('an error is recognised across two copies of the package', () => {
    const foreign = { [Symbol.for('cross-comm:error')]: true, code: 'CC_TOO_LARGE' };
    expect(foreign).toBeInstanceOf(CrossCommError);
    expect(new Error('x')).not.toBeInstanceOf(CrossCommError);
    expect(CrossCommError.from(foreign)).toBe(foreign);
  });

  test('anything caught becomes a CrossCommError with its cause', () => {
    const cause = new TypeError('no');
    expect(CrossCommError.from(cause)).toMatchObject({ code: 'CC_INTERNAL', detail: 'no.', cause, retryable: true });
    expect(CrossCommError.from('no', 'CC_TIMEOUT')).toMatchObject({ code: 'CC_TIMEOUT', detail: 'no.' });
  });
});

describe('Close codes', () => {
  const codes = Object.values(CloseCode);

  test('are unique, never 1000 or 1001, and all explained', () => {
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes).not.toContain(1000);
    expect(codes).not.toContain(1001);
    expect(new Set(Object.keys(CLOSE_MEANINGS).map(Number))).toEqual(new Set(codes));
  });

  test('are of RFC 6455 or of the private range', () => {
    for (const code of codes) expect([1007, 1009, 1012].includes(code) || (code >= 4000 && code <= 4999)).toBe(true);
  });

  test('point at errors that exist; nobody comes back by himself after being replaced or sent away', () => {
    for (const { error } of Object.values(CLOSE_MEANINGS)) expect(ERROR_CODES).toHaveProperty(error);
    const staysAway = codes.filter((code) => !CLOSE_MEANINGS[code].reconnect);
    expect(new Set(staysAway)).toEqual(new Set([CloseCode.AUTH_FAILED, CloseCode.DISCONNECTED, CloseCode.LOGIN_REFUSED, CloseCode.REPLACED]));
  });
});

describe('Message types', () => {
  test('carry the thirteen values of the Python system and the three of protocol 2', () => {
    const python = ['text', 'json', 'dict', 'bytes', 'image', 'file', 'folder', 'heartbeat', 'login', 'logout', 'list_clients', 'list_clients_response', 'login_response'];
    expect(Object.values(CommMsgType)).toEqual([...python, 'error', 'request', 'response', 'cancel', 'ack', 'confirm', 'event']);
  });

  test('have one role each', () => {
    for (const type of USER_MESSAGE_TYPES) expect(roleOf(type)).toBe('user');
    for (const type of Object.values(CommMsgType)) expect(roleOf(type)).toBeDefined();
    for (const type of ['TEXT', '', 'video', 'constructor', '__proto__']) expect(roleOf(type)).toBeUndefined();
    expect(USER_MESSAGE_TYPES.filter(isAttachmentType).sort()).toEqual([...ATTACHMENT_TYPES].sort());
  });
});
