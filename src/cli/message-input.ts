import { CrossCommError, type UserMessageType } from '../protocol/index.js';

/** What a typed line asks for. */
export type ClientCommand =
  | { readonly kind: 'send'; readonly msgType: UserMessageType; readonly content: unknown }
  | { readonly kind: 'to'; readonly clientId: string }
  | { readonly kind: 'list' }
  | { readonly kind: 'quit' }
  | { readonly kind: 'nothing' };

const PREFIX = /^(text|json|dict|bytes|file|image|folder|to):([\s\S]*)$/;

/**
 * Reads one typed line: `json:…`, `dict:…`, `bytes:…` (the text's UTF-8 bytes), `file:PATH`, `image:PATH`,
 * `folder:PATH`, `text:…` (for texts that look like a command), `to:ID`, `list`, `quit`; anything else is text as typed.
 * @throws CrossCommError `CC_INVALID_CONTENT` for json and dict that do not parse
 */
export function parseClientLine(line: string): ClientCommand {
  const trimmed = line.trim();
  if (trimmed === '') return { kind: 'nothing' };
  if (trimmed === 'list' || trimmed === 'quit') return { kind: trimmed };
  const [, prefix, rest = ''] = PREFIX.exec(line) ?? [];
  if (prefix === undefined) return { kind: 'send', msgType: 'text', content: line };
  if (prefix === 'to') return { kind: 'to', clientId: rest.trim() === '' ? 'all' : rest.trim() };
  return { kind: 'send', ...contentOf(prefix as UserMessageType, rest) };
}

/**
 * What a command line's content means for a type: bytes take the text's UTF-8 bytes, dict parses JSON, paths stay paths.
 * @throws CrossCommError `CC_INVALID_CONTENT`
 */
export function contentOf(msgType: UserMessageType, text: string): { msgType: UserMessageType; content: unknown } {
  switch (msgType) {
    case 'dict':
      return { msgType, content: parseJson(text) };
    case 'json':
      parseJson(text);
      return { msgType, content: text };
    case 'bytes':
      return { msgType, content: new TextEncoder().encode(text) };
    case 'file':
    case 'image':
    case 'folder':
      return { msgType, content: text.trim() };
    case 'text':
      return { msgType, content: text };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CrossCommError('CC_INVALID_CONTENT', { detail: `This is not JSON: ${(cause as Error).message}.`, cause });
  }
}
