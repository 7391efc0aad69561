// @ts-check

/** @typedef {'cross-comm' | 'nest' | 'socket.io'} DialectName */

/**
 * How one kind of server wants the same envelopes wrapped.
 *
 * @typedef {object} Dialect
 * @property {string} path of the upgrade request
 * @property {(type: string, envelope: string) => string} wrap text of the frame, in both directions
 * @property {readonly { readonly expect: string, readonly reply: string }[]} greeting what is said between upgrade and
 *   login: at a frame that begins so, this is answered
 * @property {boolean} hasPings whether the server sends short frames of its own in between
 */

/** @type {Readonly<Record<DialectName, Dialect>>} */
const DIALECTS = {
  'cross-comm': { path: '/', wrap: (_type, envelope) => envelope, greeting: [], hasPings: false },
  nest: { path: '/', wrap: (type, envelope) => `{"event":"${type}","data":${envelope}}`, greeting: [], hasPings: false },
  'socket.io': {
    path: '/socket.io/?EIO=4&transport=websocket',
    wrap: (type, envelope) => `42["${type}",${envelope}]`,
    greeting: [
      { expect: '0{', reply: '40' },
      { expect: '40{', reply: '' },
    ],
    hasPings: true,
  },
};

/**
 * @param {DialectName} name
 * @returns {Dialect}
 */
export function dialectOf(name) {
  return DIALECTS[name];
}

/** Digits at the end of each message id that count the messages of a sender. */
export const SEQUENCE_DIGITS = 8;

/**
 * The text of an envelope as the existing clients send it, its sequence number being 0.
 *
 * @param {{ from: string, to: string, type: string, content: unknown, ext?: object | undefined }} message
 */
export function envelopeText({ from, to, type, content, ext }) {
  return JSON.stringify({
    msg_id: messageIdPrefix(from) + '0'.repeat(SEQUENCE_DIGITS),
    from_client_id: from,
    to_client_id: to,
    msg_type: type,
    content,
    timestamp: 1_760_000_000.123,
    oss_key: null,
    // JSON leaves it out when there is none
    ext,
  });
}

/**
 * The part of a message id before the sequence number.
 *
 * @param {string} from
 */
export function messageIdPrefix(from) {
  return `${from}_1760000000123_`;
}
