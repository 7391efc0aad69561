/** What the hub does with an inbound type. */
export type MessageRole = 'user' | 'control' | 'confirm' | 'request' | 'response' | 'cancel' | 'hub-only';

/** The message types, as they travel in `msg_type`, and their roles. */
const ROLES = {
  text: 'user',
  json: 'user',
  dict: 'user',
  bytes: 'user',
  image: 'user',
  file: 'user',
  folder: 'user',
  heartbeat: 'control',
  login: 'control',
  logout: 'control',
  list_clients: 'control',
  list_clients_response: 'hub-only',
  login_response: 'hub-only',
  /** Protocol 2: the hub reports a failure. */
  error: 'hub-only',
  /** Protocol 2: asks the hub or another client for an action, see PROTOCOL.md, section Requests. */
  request: 'request',
  /** Protocol 2: the answer to a request. */
  response: 'response',
  /** Protocol 2: takes a request to another client back. */
  cancel: 'cancel',
  /** Protocol 2: the hub's word to a sender about its messages, see PROTOCOL.md, section Delivery. */
  ack: 'hub-only',
  /** Protocol 2: a receiver's word to the hub about its mail. */
  confirm: 'confirm',
  /** Protocol 2: the hub tells what happened to others, see PROTOCOL.md, section Presence. */
  event: 'hub-only',
} as const satisfies Record<string, MessageRole>;

export type CommMsgType = keyof typeof ROLES;
/** The types by the names they have in pywayne's `CommMsgType`, e.g. `LIST_CLIENTS` for `list_clients`. */
export const CommMsgType = Object.fromEntries(Object.keys(ROLES).map((type) => [type.toUpperCase(), type])) as {
  readonly [Type in CommMsgType as Uppercase<Type>]: Type;
};

/** The seven types that users send to each other. */
export const USER_MESSAGE_TYPES = ['text', 'json', 'dict', 'bytes', 'image', 'file', 'folder'] as const;
export type UserMessageType = (typeof USER_MESSAGE_TYPES)[number];

/** The three types whose content stands for an object in the file storage, named by `oss_key`. */
export const ATTACHMENT_TYPES = ['file', 'image', 'folder'] as const;
export type AttachmentType = (typeof ATTACHMENT_TYPES)[number];

const ROLE_OF: ReadonlyMap<string, MessageRole> = new Map(Object.entries(ROLES));

/** The role of a type, or `undefined` for an unknown one. Types are case-sensitive. */
export function roleOf(type: string): MessageRole | undefined {
  return ROLE_OF.get(type);
}

/** Whether the type is one of `file`, `image` and `folder`. */
export function isAttachmentType(type: string): type is AttachmentType {
  return type === 'file' || type === 'image' || type === 'folder';
}
