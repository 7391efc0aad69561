import type { ConnectedClient } from '../clients/index.js';
import type { CrossCommError, Envelope } from '../protocol/index.js';

/** Who listens to messages on the hub. Must not throw. */
export interface RoutedListener {
  /** Whether a message is for it. */
  wants(envelope: Envelope): boolean;
  /** It is going to be delivered. */
  routed(sender: ConnectedClient, envelope: Envelope): void;
  /** A message was refused, and its sender told why. */
  refused(error: CrossCommError): void;
}

/** Nobody. */
export const NO_LISTENER: RoutedListener = { wants: () => false, routed: () => undefined, refused: () => undefined };
