const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Uint8Array(128).fill(255);
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i;
const PAD = 0x3d;

/** Standard, padded base64 (RFC 4648 section 4), without any platform's help. */
export function encodeBase64(bytes: Uint8Array): string {
  const chunks: string[] = [];
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a, b, c] = [bytes[i] as number, bytes[i + 1], bytes[i + 2]];
    text += ALPHABET.charAt(a >> 2) + ALPHABET.charAt(((a & 3) << 4) | ((b ?? 0) >> 4));
    text += b === undefined ? '=' : ALPHABET.charAt(((b & 15) << 2) | ((c ?? 0) >> 6));
    text += c === undefined ? '=' : ALPHABET.charAt(c & 63);
    if (text.length >= 8192) {
      chunks.push(text);
      text = '';
    }
  }
  return chunks.join('') + text;
}

/**
 * Decodes as leniently as Python's `base64.b64decode`: characters outside the alphabet are skipped, what follows the
 * padding is ignored. `undefined` where Python raises (padding missing, non-ASCII text).
 */
export function decodeBase64Leniently(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.ceil((text.length * 3) / 4));
  let length = 0;
  let position = 0;
  let pads = 0;
  let left = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 127) return undefined;
    if (unit === PAD) {
      if (position >= 2 && position + ++pads >= 4) return isAscii(text, i) ? bytes.slice(0, length) : undefined;
      continue;
    }
    const value = VALUES[unit] as number;
    if (value === 255) continue;
    pads = 0;
    if (position !== 0) bytes[length++] = ((left << (position * 2)) & 255) | (value >> (6 - position * 2));
    left = value;
    position = (position + 1) & 3;
  }
  return position === 0 ? bytes.slice(0, length) : undefined;
}

function isAscii(text: string, from: number): boolean {
  for (let i = from; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}
