import type { Deviation } from '../support/golden-replay.js';

const NOT_LOGGED_IN = 'nothing is forwarded or answered for a connection that is not logged in (identity is enforced)';
const TRUE_LIST = 'the list tells the truth: a client that left is not online, where the Python list shows it for up to 60 s';
const REPLACED = 'the newest login wins and the replaced socket is told so with 4009, where the Python server left it open and unaware';
const RESERVED = 'reserved, empty, too long ids and ids with control characters are refused with 4003';
const NOT_A_STRING = 'an id that is not a string makes the envelope malformed: no login, no answer to a client that announced nothing';

/** Every place where the hub does better than the recorded Python server, by recording. */
export const DEVIATIONS: Readonly<Record<string, readonly Deviation[]>> = {
  '03_files': [{ lines: [47, 49, 51, 53], reason: NOT_LOGGED_IN, instead: { sendsNothing: true } }],
  '04_list_clients': [
    { lines: [22], reason: TRUE_LIST, instead: { lists: [['alice', 'online']] } },
    { lines: [26, 28, 30, 32, 34, 36, 38, 40, 42, 44, 46, 48], reason: NOT_LOGGED_IN, instead: { sendsNothing: true } },
  ],
  '05_same_id': [
    { lines: [16], reason: REPLACED, instead: { closes: 2, code: 4009 } },
    { lines: [19], reason: 'a replaced socket can send no more', instead: { sendsNothing: true } },
    {
      lines: [24, 28],
      reason: 'the close of the replaced socket does not touch the new session, where the Python server marked it offline until another login',
      instead: { delivers: 3 },
    },
  ],
  '06_offline_unknown': [{ lines: [29], reason: TRUE_LIST, instead: { lists: [['alice', 'online']] } }],
  '07_bad_input': [
    {
      lines: [41],
      reason: 'from_client_id null is not the id of the sender: refused, where the Python server forwarded it',
      instead: { sendsNothing: true },
    },
  ],
  '09_before_login': [{ lines: [12, 14, 16, 20], reason: NOT_LOGGED_IN, instead: { sendsNothing: true } }],
  '13_heartbeat_timeout': [
    {
      lines: [21],
      reason: 'silence beyond the timeout closes the socket with 4008, so that its client knows; the Python server kept it open and unreachable',
      instead: { closes: 2, code: 4008 },
    },
    { lines: [29], reason: TRUE_LIST, instead: { lists: [['bob', 'online']] } },
    { lines: [34, 36], reason: 'the closed socket cannot log in again; its client has to connect anew', instead: { sendsNothing: true } },
  ],
  '14_logout_keep_socket': [
    { lines: [14], reason: NOT_LOGGED_IN, instead: { sendsNothing: true } },
    {
      lines: [22, 25],
      reason: 'a socket holds one id: logging in with a second one ends the first, where the Python server delivered to both and broadcasts twice',
      instead: { sendsNothing: true },
    },
    {
      lines: [28],
      reason: 'a logout that names another id is refused, and an id given up is offline in the list',
      instead: {
        lists: [
          ['bob', 'online'],
          ['two', 'online'],
          ['one', 'offline'],
        ],
      },
    },
    { lines: [29], reason: 'the refused logout took nobody offline', instead: { delivers: 2 } },
  ],
  '17_handshake': [],
  '18_odd_ids': [
    { lines: [11], reason: RESERVED, instead: { closes: 2, code: 4003 } },
    { lines: [15], reason: RESERVED, instead: { closes: 3, code: 4003 } },
    { lines: [19], reason: RESERVED, instead: { closes: 4, code: 4003 } },
    { lines: [43], reason: RESERVED, instead: { closes: 10, code: 4003 } },
    { lines: [69], reason: RESERVED, instead: { closes: 17, code: 4003 } },
    { lines: [10, 14, 18, 42, 68], reason: RESERVED, instead: { sendsNothing: true } },
    { lines: [70, 72, 73, 74, 80, 85, 87], reason: 'who was refused receives nothing', instead: { sendsNothing: true } },
    { lines: [46, 50, 54, 58, 81, 82, 83, 84], reason: NOT_A_STRING, instead: { sendsNothing: true } },
    {
      lines: [91],
      reason: 'only the ids that could log in are listed',
      instead: {
        lists: [
          ['bob', 'online'],
          ['123', 'online'],
          ['true', 'online'],
          ['a: b', 'online'],
          ['- x', 'online'],
          ['空格 id', 'online'],
        ],
      },
    },
  ],
  '19_restart_yaml': [
    {
      lines: [8],
      reason: 'clients of earlier runs are remembered, where the Python server forgot them with its first save',
      instead: {
        lists: [
          ['alice', 'online'],
          ['old_client', 'offline'],
        ],
      },
    },
  ],
  '20_listener_semantics': [{ lines: [27], reason: REPLACED, instead: { closes: 1, code: 4009 } }],
};

/** Clients whose final entry in the YAML file differs from the recorded one, and why. `undefined`: not in the file. */
export const YAML_DEVIATIONS: Readonly<Record<string, Readonly<Record<string, readonly [status: 'offline' | undefined, reason: string]>>>> = {
  '14_logout_keep_socket': { one: ['offline', 'an id given up goes offline, where the Python server left it online for ever'] },
  '18_odd_ids': {
    '': [undefined, RESERVED],
    all: [undefined, RESERVED],
    server: [undefined, RESERVED],
    'new\nline': [undefined, RESERVED],
    ['x'.repeat(300)]: [undefined, RESERVED],
    '5': [undefined, NOT_A_STRING],
    '1.5': [undefined, NOT_A_STRING],
    null: [undefined, NOT_A_STRING],
  },
  '19_restart_yaml': { old_client: ['offline', 'clients of earlier runs are remembered'] },
};
