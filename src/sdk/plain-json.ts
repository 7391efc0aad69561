const MAX_DEPTH = 64;

/**
 * Whether JSON certainly carries the value as it is: strings, finite numbers, booleans, null, and arrays and plain
 * objects of them. `false` only means that it is worth the slow and exact check of `toWireContent`.
 */
export function isPlainJson(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object') return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
  if (value === null) return true;
  if (depth === MAX_DEPTH || 'toJSON' in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === Object.prototype || prototype === null || Array.isArray(value);
  return isPlain && Object.values(value).every((member) => isPlainJson(member, depth + 1));
}
