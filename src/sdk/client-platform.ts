import type { ClientFiles, HubLink } from './client-files.js';
import type { OpenTransport } from './transports/client-transport.js';

/** What the client needs from the place it runs in. */
export interface ClientPlatform<Files extends ClientFiles> {
  readonly openTransport: OpenTransport;
  defaultClientId(): string;
  createFiles(link: HubLink): Files;
  /** Calls back in a later turn of the event loop, soon and also in a page that is not seen. */
  nextTurn(run: () => void): void;
}
