/** Functions that want to be called. One that fails does not stop the others. */
export class Subscribers<Args extends readonly unknown[]> {
  // entries of their own: the same function may be added twice
  readonly #entries = new Set<{ readonly handle: (...args: Args) => void }>();

  get count(): number {
    return this.#entries.size;
  }

  /** @returns removes it */
  add(handle: (...args: Args) => void): () => void {
    const entry = { handle };
    this.#entries.add(entry);
    return () => void this.#entries.delete(entry);
  }

  /** Calls all of them; what one throws goes to `failed`. */
  call(args: Args, failed: (error: unknown) => void): void {
    for (const { handle } of this.#entries) {
      try {
        handle(...args);
      } catch (error) {
        failed(error);
      }
    }
  }
}
