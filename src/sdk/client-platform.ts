import type { ClientFiles, HubLink } from './client-files.js';
import type { OpenTransport } from './transports/client-transport.js';

/** What the client needs from the place it runs in. */
export interface ClientPlatform<Files extends ClientFiles> {
  readonly openTransport: OpenTransport;
  defaultClientId(): string;
  createFiles(link: HubLink): Files;
}
