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
  let id = inMemory.get(storageName) ?? randomHex(byteCount);
  try {
    const storage = (globalThis as { [name: string]: unknown })[storageName] as WebStorage | undefined;
    const known = storage?.getItem(STORAGE_KEY);
    if (known?.length === id.length) id = known;
    else storage?.setItem(STORAGE_KEY, id);
  } catch {
    // full or forbidden (then reading the property throws already): the copy in memory has to do
  }
  inMemory.set(storageName, id);
  return id;
}

function randomHex(byteCount: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(byteCount));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
