// spelt so because letters in their order are what a browser's bundle cannot be compressed by
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ALPHABET = `${LETTERS}${LETTERS.toLowerCase()}0123456789+/`;
const VALUES = new Uint8Array(128).fill(255);
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i;
const PAD = 0x3d;
const NOT_ASCII = /[^\u0000-\u007f]/;

/** Standard, padded base64 (RFC 4648 section 4), without any platform's help. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += digit(group >> 18) + digit(group >> 12) + (left > 1 ? digit(group >> 6) : '=') + (left > 2 ? digit(group) : '=');
  }
  return text;
}

function digit(bits: number): string {
  return ALPHABET.charAt(bits & 63);
}

/**
 * Decodes as leniently as Python's `base64.b64decode`: characters outside the alphabet are skipped, what follows the
 * padding is ignored. `undefined` where Python raises (padding missing, non-ASCII text).
 */
export function decodeBase64Leniently(text: string): Uint8Array | undefined {
  if (NOT_ASCII.test(text)) return undefined;
  const bytes = new Uint8Array(Math.ceil((text.length * 3) / 4));
  let length = 0;
  let position = 0;
  let pads = 0;
  let left = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === PAD) {
      if (position >= 2 && position + ++pads >= 4) return bytes.slice(0, length);
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
