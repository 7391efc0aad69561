import { Inject, Injectable } from '@nestjs/common';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isOriginAllowed } from '../security/index.js';
import { EMBEDDED_STORE, type EmbeddedStore } from '../storage/index.js';
import { GatewayOptions } from './gateway.options.js';

/** The embedded object store behind the hub's HTTP port; takes nothing when another storage is in use. */
@Injectable()
export class FileDoor {
  readonly #store: EmbeddedStore | undefined;

  constructor(@Inject(EMBEDDED_STORE) store: unknown, { allowedOrigins }: GatewayOptions) {
    this.#store = store as EmbeddedStore | undefined;
    this.#store?.handler.allowOrigins((origin) => isOriginAllowed(origin, allowedOrigins));
  }

  /** Answers a request that is for the store; false, with nothing touched, when it is not. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    return this.#store?.handler.handle(request, response) ?? false;
  }

  /** Lets long uploads through a server of ours. */
  prepare(server: Server): void {
    this.#store?.handler.allowLongRequests(server);
  }

  close(): void {
    this.#store?.close();
  }
}
