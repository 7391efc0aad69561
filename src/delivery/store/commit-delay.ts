/** Longest time that messages which their receivers have are not written yet, in milliseconds. */
const MAX_DELAY_MS = 20;

/**
 * The time that a commit leaves receivers for being done with its messages, which then need not be written. It is as long
 * as the last commit took, so that nobody waits much longer for an answer on its account.
 */
export class CommitDelay {
  /** How long the last commit took, in milliseconds. */
  lastCommitMs = 0;
  /** Set while it lasts. */
  #end: (() => void) | undefined;
  #isChecking = false;
  readonly #isUrgent: () => boolean;

  /** @param isUrgent whether somebody waits for the end of the commit */
  constructor(isUrgent: () => boolean) {
    this.#isUrgent = isUrgent;
  }

  /** Resolves when it is over: at once when somebody waits. */
  async pass(): Promise<void> {
    if (this.#isUrgent()) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(this.lastCommitMs, MAX_DELAY_MS));
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#end = undefined;
  }

  /** Ends it now. */
  end(): void {
    this.#end?.();
  }

  /** Ends it at the end of this turn if somebody waits then: by that time it is known which new messages were sent to their receivers. */
  endIfUrgent(): void {
    if (this.#end === undefined || this.#isChecking) return;
    this.#isChecking = true;
    setImmediate(() => {
      this.#isChecking = false;
      if (this.#isUrgent()) this.#end?.();
    });
  }
}
