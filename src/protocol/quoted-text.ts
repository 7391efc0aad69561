/** Longest foreign text in a log line, in characters. */
const MAX_LENGTH = 256;

/** What JSON leaves as it is and a terminal or a reader would obey: control characters, line ends, changes of direction. */
const UNSAFE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** A foreign text as it may stand in a log: quoted, escaped, and not too long. */
export function quoted(text: string | undefined): string {
  if (text === undefined) return 'undefined';
  const short = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  return JSON.stringify(short).replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
