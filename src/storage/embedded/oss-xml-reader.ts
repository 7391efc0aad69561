import { OssError } from './oss-error.js';

/** A parsed element; it has either children or text. */
export interface XmlNode {
  readonly name: string;
  readonly children: readonly XmlNode[];
  readonly text: string;
}

const MAX_DEPTH = 8;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Parses the small documents that clients send (Delete, CompleteMultipartUpload): elements, text, the five entities
 * and character references, attributes (ignored), comments and the XML declaration. DOCTYPE, CDATA and processing
 * instructions are refused, so there are no entities to expand and nothing to fetch.
 *
 * @throws OssError `MalformedXML`
 */
export function parseXml(text: string): XmlNode {
  const tokens = /<!--[^]*?-->|<\?xml\s[^<>]*\?>|<\/([\w.:-]+)\s*>|<([\w.:-]+)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;
  const root: Building = { name: '', children: [], text: '' };
  const open: Building[] = [root];
  let first = true;
  for (let at = text.charCodeAt(0) === 0xfeff ? 1 : 0; at < text.length; at = tokens.lastIndex) {
    tokens.lastIndex = at;
    const token = tokens.exec(text);
    if (token === null) throw new OssError('MalformedXML');
    const [whole, closing, opening, , selfClosing, characters] = token;
    const parent = open[open.length - 1] as Building;
    if (closing !== undefined) {
      if (open.length < 2 || parent.name !== closing) throw new OssError('MalformedXML');
      open.pop();
    } else if (opening !== undefined) {
      const node: Building = { name: opening, children: [], text: '' };
      parent.children.push(node);
      if (selfClosing === '') open.push(node);
      if (open.length > MAX_DEPTH) throw new OssError('MalformedXML');
    } else if (characters !== undefined) {
      if (open.length === 1 && characters.trim() !== '') throw new OssError('MalformedXML');
      parent.text += decodeEntities(characters);
    } else if (whole.startsWith('<?') && !first) throw new OssError('MalformedXML');
    first = false;
  }
  const [document, ...others] = root.children;
  if (open.length !== 1 || document === undefined || others.length > 0) throw new OssError('MalformedXML');
  return document;
}

interface Building extends XmlNode {
  readonly children: Building[];
  text: string;
}

/** Text of the one child with this name; `undefined` when there is none. @throws OssError `MalformedXML` when there are more */
export function childText(node: XmlNode, name: string): string | undefined {
  const found = node.children.filter((child) => child.name === name);
  if (found.length > 1 || (found[0] && found[0].children.length > 0)) throw new OssError('MalformedXML');
  return found[0]?.text;
}

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&]{0,12});?/g, (whole, name: string) => {
    const named = ENTITIES[name];
    if (whole.endsWith(';') && named !== undefined) return named;
    const number = /^#(?:x([0-9a-f]{1,6})|([0-9]{1,7}))$/i.exec(name);
    const code = number ? Number.parseInt(number[1] ?? number[2] ?? '', number[1] === undefined ? 10 : 16) : Number.NaN;
    if (!whole.endsWith(';') || !(code > 0 && code <= 0x10ffff) || (code >= 0xd800 && code < 0xe000)) throw new OssError('MalformedXML');
    return String.fromCodePoint(code);
  });
}
