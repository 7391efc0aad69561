/**
 * Removes one top-level member from the text of a JSON object without touching another character, so that everything
 * else keeps its spelling (big integers, `1.0`, escapes, key order).
 *
 * @param text a JSON object that was parsed successfully before (bare `NaN` allowed); other text gives no useful result
 */
export function removeTopLevelMember(text: string, name: string): string {
  let result = '';
  let kept = 0;
  for (const member of topLevelMembers(text)) {
    if (JSON.parse(text.slice(member.keyStart, member.keyEnd)) !== name) continue;
    // with its comma: the one behind it, or for the last member the one before it
    const start = member.commaAfter === -1 && member.commaBefore !== -1 ? member.commaBefore : member.keyStart;
    const end = member.commaAfter === -1 ? member.valueEnd : member.commaAfter + 1;
    result += text.slice(kept, Math.max(kept, start));
    kept = end;
  }
  const rest = result + text.slice(kept);
  // the last two members were both removed: the comma before the first of them is left over
  return kept === 0 ? text : rest.replace(/,(\s*)\}(\s*)$/, '$1}$2');
}

interface MemberSpan {
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueEnd: number;
  readonly commaBefore: number;
  readonly commaAfter: number;
}

function topLevelMembers(text: string): MemberSpan[] {
  const members: MemberSpan[] = [];
  let depth = 0;
  let keyStart = -1;
  let keyEnd = -1;
  let commaBefore = -1;
  let lastEnd = -1;
  const close = (commaAfter: number): void => {
    if (keyStart !== -1) members.push({ keyStart, keyEnd, valueEnd: lastEnd, commaBefore, commaAfter });
    keyStart = -1;
    commaBefore = commaAfter;
  };
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    switch (unit) {
      case 0x22: {
        const end = stringEnd(text, i);
        if (depth === 1 && keyStart === -1) {
          keyStart = i;
          keyEnd = end;
        }
        i = end - 1;
        lastEnd = end;
        break;
      }
      case 0x7b:
      case 0x5b:
        depth++;
        break;
      case 0x7d:
      case 0x5d:
        if (--depth === 0) close(-1);
        lastEnd = i + 1;
        break;
      case 0x2c:
        if (depth === 1) close(i);
        break;
      case 0x20:
      case 0x09:
      case 0x0a:
      case 0x0d:
        break;
      default:
        lastEnd = i + 1;
    }
  }
  return members;
}

/** Index behind the closing quote of the string that starts at `start`. */
function stringEnd(text: string, start: number): number {
  for (let i = start + 1; ; i++) {
    const quote = text.indexOf('"', i);
    if (quote === -1) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
    i = quote;
  }
}
