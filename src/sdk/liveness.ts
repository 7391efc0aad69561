/** How silence is judged. Durations in milliseconds. */
export interface LivenessSettings {
  /** After each interval without any frame the hub is probed. */
  readonly pingIntervalMs: number;
  /** Silence in spite of the probes after which the hub is taken for dead. */
  readonly heartbeatTimeoutMs: number;
}

/**
 * Notices a hub that does not answer any more. One timer, no clock reading per frame: silence is counted in whole
 * intervals that really ran, so a stalled or suspended program does not take its own sleep for the hub's death.
 */
export class Liveness {
  readonly #settings: LivenessSettings;
  readonly #events: { probe(): void; dead(): void };
  #timer: ReturnType<typeof setInterval> | undefined;
  #heard = false;
  #silentMs = 0;
  #suspended = false;

  constructor(settings: LivenessSettings, events: { probe(): void; dead(): void }) {
    this.#settings = settings;
    this.#events = events;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), this.#settings.pingIntervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Anything came from the hub. */
  heard(): void {
    this.#heard = true;
  }

  /** While reading is paused nothing can be heard, and silence means nothing. */
  suspend(suspended: boolean): void {
    this.#suspended = suspended;
  }

  #tick(): void {
    if (this.#heard || this.#suspended) {
      this.#heard = false;
      this.#silentMs = 0;
      return;
    }
    this.#silentMs += this.#settings.pingIntervalMs;
    if (this.#silentMs >= this.#settings.heartbeatTimeoutMs) this.#events.dead();
    else this.#events.probe();
  }
}
