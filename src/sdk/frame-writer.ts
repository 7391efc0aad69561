import { encodeEnvelope, messageId, type CommMsgType } from '../protocol/index.js';

/** What a frame says; the rest of the envelope is filled in. */
export interface FrameContent {
  readonly msgType: CommMsgType;
  readonly toClientId: string;
  /** As it travels, see `toWireContent`. */
  readonly content: unknown;
  readonly ossKey?: string | null;
}

export interface WrittenFrame {
  readonly msgId: string;
  readonly frame: string;
}

/** Source of the time: milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

/** Writes the frames of one client: the sender's id, a fresh message id and the time (wire facts 2 and 4). */
export class FrameWriter {
  readonly #clientId: string;
  readonly #clock: Clock;
  // counted up from a random start: as unique as eight random digits, without a random number per message
  #serial = crypto.getRandomValues(new Uint32Array(1))[0] as number;

  constructor(clientId: string, clock: Clock) {
    this.#clientId = clientId;
    this.#clock = clock;
  }

  write({ msgType, toClientId, content, ossKey }: FrameContent): WrittenFrame {
    const nowMs = this.#clock.now();
    this.#serial = (this.#serial + 1) >>> 0;
    const msgId = messageId(this.#clientId, nowMs, this.#serial.toString(16).padStart(8, '0'));
    const frame = encodeEnvelope({
      msgId,
      fromClientId: this.#clientId,
      toClientId,
      msgType,
      content,
      timestamp: nowMs / 1000,
      ossKey: ossKey ?? null,
    });
    return { msgId, frame };
  }
}
