const MAX_DEPTH = 64;

/**
 * Whether JSON certainly carries the value as it is: strings, finite numbers, booleans, null, and arrays and plain
 * objects of them. `false` only means that it is worth the slow and exact check of `toWireContent`.
 */
export function isPlainJson(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      if (value === null) return true;
      if (depth === MAX_DEPTH) return false;
      if (Array.isArray(value)) return value.every((item) => isPlainJson(item, depth + 1));
      return isPlainObject(value) && everyMember(value, depth);
    default:
      return false;
  }
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !('toJSON' in value);
}

function everyMember(value: object, depth: number): boolean {
  for (const key in value) if (!isPlainJson((value as Record<string, unknown>)[key], depth + 1)) return false;
  return true;
}
