/** One element: its name and either text or child elements; `undefined` children are left out. */
export type XmlElement = readonly [name: string, content: string | number | boolean | readonly (XmlElement | undefined)[]];

/** An XML document with one root element. */
export function toXml(root: XmlElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(root)}`;
}

function element([name, content]: XmlElement): string {
  const inner = typeof content === 'object' ? content.map((child) => (child ? element(child) : '')).join('') : escapeText(String(content));
  return `<${name}>${inner}</${name}>`;
}

/** XML 1.0 has no way to write most control characters; clients that need them ask for `encoding-type=url`. */
function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#13;')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
}

/** A time as OSS lists it: whole seconds, `2025-01-02T03:04:05.000Z`. */
export function xmlTime(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString();
}
