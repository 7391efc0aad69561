import { encodeBase64, type Message } from '../protocol/index.js';
import { printable } from './terminal.js';

/** One received message as one JSON line; bytes as base64. */
export function messageToJson(message: Message): string {
  const { msgId, fromClientId, toClientId, msgType, timestamp, ossKey, localPath, downloadError } = message;
  const content = message.content instanceof Uint8Array ? { base64: encodeBase64(message.content) } : message.content;
  const failure = downloadError === undefined ? {} : { downloadError: downloadError.message };
  return JSON.stringify({ msgId, fromClientId, toClientId, msgType, content, timestamp, ossKey, ...(localPath === undefined ? {} : { localPath }), ...failure });
}

/** One received message for people. */
export function messageToLine({ fromClientId, msgType, content, localPath, downloadError }: Message): string {
  const body = content instanceof Uint8Array ? `${content.length} bytes` : typeof content === 'string' ? content : JSON.stringify(content);
  const note = downloadError !== undefined ? ` (download failed: ${downloadError.message})` : localPath === undefined ? '' : ' (downloaded)';
  return printable(`[${fromClientId}] ${msgType}: ${body}${note}`);
}
