/**
 * Message types of the wire, named as in pywayne's `CommMsgType`.
 * The lower-case values are what travels in `msg_type`.
 */
export const CommMsgType = {
  TEXT: 'text',
  JSON: 'json',
  DICT: 'dict',
  BYTES: 'bytes',
  IMAGE: 'image',
  FILE: 'file',
  FOLDER: 'folder',
  HEARTBEAT: 'heartbeat',
  LOGIN: 'login',
  LOGOUT: 'logout',
  LIST_CLIENTS: 'list_clients',
  LIST_CLIENTS_RESPONSE: 'list_clients_response',
  LOGIN_RESPONSE: 'login_response',
  /** Protocol 2: the hub (or, later, a peer) reports a failure. */
  ERROR: 'error',
  /** Protocol 2: asks the hub for an action, see PROTOCOL.md, section Requests. */
  REQUEST: 'request',
  /** Protocol 2: the answer to a request. */
  RESPONSE: 'response',
} as const;
export type CommMsgType = (typeof CommMsgType)[keyof typeof CommMsgType];

/** The seven types that users send to each other. */
export const USER_MESSAGE_TYPES = ['text', 'json', 'dict', 'bytes', 'image', 'file', 'folder'] as const;
export type UserMessageType = (typeof USER_MESSAGE_TYPES)[number];

/** The three types whose content stands for an object in the file storage, named by `oss_key`. */
export const ATTACHMENT_TYPES = ['file', 'image', 'folder'] as const;
export type AttachmentType = (typeof ATTACHMENT_TYPES)[number];

/** What the hub does with an inbound type. */
export type MessageRole = 'user' | 'control' | 'request' | 'hub-only';

const ROLES: ReadonlyMap<string, MessageRole> = new Map<string, MessageRole>([
  ...USER_MESSAGE_TYPES.map((type): [string, MessageRole] => [type, 'user']),
  ['heartbeat', 'control'],
  ['login', 'control'],
  ['logout', 'control'],
  ['list_clients', 'control'],
  ['request', 'request'],
  ['login_response', 'hub-only'],
  ['list_clients_response', 'hub-only'],
  ['error', 'hub-only'],
  ['response', 'hub-only'],
]);

/** The role of a type, or `undefined` for an unknown one. Types are case-sensitive. */
export function roleOf(type: string): MessageRole | undefined {
  return ROLES.get(type);
}

/** Whether the type is one of `file`, `image` and `folder`. */
export function isAttachmentType(type: string): type is AttachmentType {
  return type === 'file' || type === 'image' || type === 'folder';
}
