/** Messages remembered at most. */
const CAPACITY = 10_000;

/** The last messages to which something happened that the store does not know of. */
export class RecentMessages {
  readonly #keys = new Set<string>();

  has(fromClientId: string, msgId: string): boolean {
    return this.#keys.has(keyOf(fromClientId, msgId));
  }

  add(fromClientId: string, msgId: string): void {
    this.#keys.add(keyOf(fromClientId, msgId));
    if (this.#keys.size <= CAPACITY) return;
    const [oldest] = this.#keys;
    this.#keys.delete(oldest as string);
  }
}

/** No client id holds a control character. */
function keyOf(fromClientId: string, msgId: string): string {
  return `${fromClientId}\0${msgId}`;
}
