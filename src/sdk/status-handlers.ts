import type { ClientStatus } from './client-status.js';

/** Who wants to know the status. A handler that fails does not stop the others. */
export class StatusHandlers {
  readonly #handlers = new Set<{ readonly handle: (status: ClientStatus) => void }>();

  constructor(private readonly failed: (error: unknown) => void) {}

  add(handle: (status: ClientStatus) => void): () => void {
    const entry = { handle };
    this.#handlers.add(entry);
    return () => void this.#handlers.delete(entry);
  }

  call(status: ClientStatus): void {
    for (const { handle } of this.#handlers) {
      try {
        handle(status);
      } catch (error) {
        this.failed(error);
      }
    }
  }
}
