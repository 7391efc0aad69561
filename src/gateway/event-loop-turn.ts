import { Injectable } from '@nestjs/common';
import { FrameBatch } from './frame-batch.js';

/** Something that holds frames back until the end of the turn. */
export interface BatchWriter {
  /** Writes what is held back. */
  flush(): void;
}

/** Turns that follow each other with less time between them, in milliseconds, belong to a stream; a lone exchange is slower. */
const STREAM_GAP_MS = 0.02;

/** Up to so many messages a turn of a stream is worth a second look for more before it is written. */
const FEW_MESSAGES = 8;

/**
 * The turn of the event loop that is under way: what its messages leave for a socket is held back and written at its
 * end, in one write, so one system call, per socket and turn. System calls are most of what a small message costs.
 *
 * Latency is not sold for that, and nothing waits for a timer. A message that comes alone is not held back at all. In
 * a stream that brings only a few messages per turn the loop looks once more for what has arrived meanwhile.
 */
@Injectable()
export class EventLoopTurn {
  #waiting: BatchWriter[] = [];
  #start = FrameBatch.start();
  #nowMs = 0;
  #isEnding = false;
  #hasLookedAgain = false;
  #messageCount = 0;
  #previousMessageCount = 0;
  #previousEndMs = 0;

  /** Monotonic time at which this turn was first asked, in milliseconds. */
  get nowMs(): number {
    if (this.#nowMs === 0) {
      this.#nowMs = performance.now();
      this.#endLater();
    }
    return this.#nowMs;
  }

  /** Where the batches of this turn begin; shared by all connections, so that equal batches are the same. */
  get start(): FrameBatch {
    return this.#start;
  }

  /** Whether the message that is being routed came alone, so that holding it back would gain nothing. */
  isLone = false;

  /**
   * A client's message is going to be routed.
   * @param isFollowed whether another one was read together with it
   */
  messageBegins(isFollowed: boolean): void {
    this.#messageCount++;
    // some time after a turn that had no more than one, too
    this.isLone = !isFollowed && this.#messageCount === 1 && this.#previousMessageCount <= 1 && !this.#isStream;
  }

  /** It was routed; what the hub sends on its own account is never alone. */
  messageEnds(): void {
    this.isLone = false;
  }

  /** Has `flush` called at the end of this turn. */
  flushAtEnd(writer: BatchWriter): void {
    this.#waiting.push(writer);
    this.#endLater();
  }

  get #isStream(): boolean {
    return this.nowMs - this.#previousEndMs < STREAM_GAP_MS;
  }

  #endLater(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    setImmediate(this.#end);
  }

  readonly #end = (): void => {
    if (!this.#hasLookedAgain && this.#waiting.length > 0 && this.#messageCount <= FEW_MESSAGES && this.#isStream) {
      this.#hasLookedAgain = true;
      setImmediate(this.#end);
      return;
    }
    const writers = this.#waiting;
    this.#waiting = [];
    this.#nowMs = 0;
    this.#isEnding = false;
    this.#hasLookedAgain = false;
    // a new beginning, so that the payloads of this turn are not kept alive
    this.#start = FrameBatch.start();
    if (this.#messageCount > 0) this.#previousMessageCount = this.#messageCount;
    this.#messageCount = 0;
    for (const writer of writers) writer.flush();
    this.#previousEndMs = performance.now();
  };
}
