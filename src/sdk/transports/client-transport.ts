/** What a transport tells its owner. `onClose` comes exactly once, also for a socket that never opened. */
export interface ClientTransportHandlers {
  onOpen(): void;
  /** One text frame. */
  onFrame(text: string): void;
  /** The answer to {@link ClientTransport.ping}. */
  onPong(): void;
  /** @param error why a socket never opened, as far as the platform tells */
  onClose(code: number, reason: string, error?: unknown): void;
}

/** One socket, from opening to closed. */
export interface ClientTransport {
  /** Bytes handed over by {@link send} that the platform has not passed on to the network. */
  readonly bufferedBytes: number;
  /** Hands a frame to the socket; `false` when it is not open, and then nothing was sent. */
  send(frame: string): boolean;
  /** Sends a protocol ping; absent where the platform cannot (browsers). */
  ping?(): void;
  /** Stops reading, so that the hub feels it; absent where the platform cannot (browsers). */
  pause?(): void;
  resume?(): void;
  /** Begins the closing handshake behind everything sent before. */
  close(code: number, reason: string): void;
  /** Ends it at once; `onClose` follows with code 1006. */
  terminate(): void;
}

/** What a transport is to connect to. */
export interface TransportTarget {
  readonly url: string;
  /** A longer inbound message ends the connection with 1009, where the platform can enforce it. */
  readonly maxInboundBytes: number;
}

/** Opens a socket. Must not throw for an unreachable hub: that is `onClose`. */
export type OpenTransport = (target: TransportTarget, handlers: ClientTransportHandlers) => ClientTransport;
