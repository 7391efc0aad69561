/** The part of the Web Storage API that is used. */
interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

const STORAGE_KEY = 'cross_comm_client_id';
const inMemory = new Map<string, string>();

/**
 * `<12 hex>_<8 hex>`, as everywhere: the first part is kept per browser (localStorage), the second per tab
 * (sessionStorage), because two tabs with one id would log each other out. Without storage both last as long as the page.
 */
export function browserClientId(): string {
  return `${kept('localStorage', 6)}_${kept('sessionStorage', 4)}`;
}

function kept(storageName: 'localStorage' | 'sessionStorage', byteCount: number): string {
  const storage = webStorage(storageName);
  const known = storage?.getItem(STORAGE_KEY) ?? inMemory.get(storageName);
  if (known !== undefined && known.length === byteCount * 2) return known;
  const fresh = randomHex(byteCount);
  inMemory.set(storageName, fresh);
  try {
    storage?.setItem(STORAGE_KEY, fresh);
  } catch {
    // full or forbidden: the copy in memory has to do
  }
  return fresh;
}

function webStorage(name: 'localStorage' | 'sessionStorage'): WebStorage | undefined {
  try {
    return (globalThis as { [name: string]: unknown })[name] as WebStorage | undefined;
  } catch {
    // reading the property itself throws where storage is forbidden
    return undefined;
  }
}

function randomHex(byteCount: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(byteCount));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
