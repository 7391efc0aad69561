import { CrossCommError } from './cross-comm.error.js';

/** A string (to the end of the text when it is never closed) or a bare word, and whether it stands as a key; brackets. */
const TOKEN = /("(?:[^"\\]+|\\.)*"?|-?Infinity|NaN)(\s*:)?|[[{\]}]/gs;
/** Put before every string value, so that none can be taken for a word. */
const MARK = '$';

/**
 * Parses JSON as Python's `json.loads` reads it: strict JSON plus bare `NaN`, `Infinity` and `-Infinity`
 * (wire facts 3 and 8.6). Used only for text that `JSON.parse` refused, so it may be slower than that.
 *
 * The bare words become strings, all other string values get a mark, and `JSON.parse` judges everything else.
 *
 * @throws CrossCommError `CC_INVALID_FRAME` for anything else, `CC_TOO_DEEP` beyond `maxDepth`
 */
export function parsePythonJson(text: string, maxDepth: number): unknown {
  let depth = 0;
  let strict = '';
  let copied = 0;
  // one after another, so that a megabyte of brackets is not gone through to its end
  for (const { 0: all, 1: value, 2: colon, index } of text.matchAll(TOKEN)) {
    if (value === undefined) {
      depth += all === '[' || all === '{' ? 1 : -1;
      if (depth > maxDepth) throw new CrossCommError('CC_TOO_DEEP', `The limit is ${maxDepth}.`);
    } else if (colon === undefined) {
      // a key stays as it is; a bare word there is for JSON.parse to refuse
      strict += text.slice(copied, index) + (value.startsWith('"') ? `"${MARK}${value.slice(1)}` : `"${value}"`);
      copied = index + all.length;
    }
  }
  strict += text.slice(copied);
  try {
    return JSON.parse(strict, (_key, value: unknown) => {
      if (typeof value !== 'string') return value;
      return value.startsWith(MARK) ? value.slice(1) : Number(value);
    });
  } catch {
    // its message would quote the text
    throw new CrossCommError('CC_INVALID_FRAME', 'It is not JSON.');
  }
}
