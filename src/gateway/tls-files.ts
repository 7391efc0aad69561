import { Logger } from '@nestjs/common';
import type { ServerOptions } from 'node:https';
import { createSecureContext, type SecureContextOptions, type Server as TlsServer } from 'node:tls';
import { CrossCommError } from '../protocol/index.js';
import { WatchedFiles } from '../security/index.js';
import type { GatewayOptions } from './gateway.options.js';

/** The certificate files of an own port: read at the start, and again when they change, without a connection ending. */
export class TlsFiles {
  readonly #logger = new Logger('CrossCommSecurity');
  #files: WatchedFiles | undefined;
  #server: TlsServer | undefined;
  #context: SecureContextOptions = {};

  private constructor(private readonly options: GatewayOptions) {}

  /** @throws CrossCommError `CC_INVALID_OPTION` when they cannot be used */
  static async open(options: GatewayOptions): Promise<TlsFiles | undefined> {
    const { tlsCertFile, tlsKeyFile, tlsClientCaFile, tlsClientCert } = options;
    if (tlsCertFile === undefined && tlsKeyFile === undefined && tlsClientCaFile === undefined && tlsClientCert === 'off') return undefined;
    if (tlsCertFile === undefined || tlsKeyFile === undefined) throw new CrossCommError('CC_INVALID_OPTION', 'TLS needs both tlsCertFile and tlsKeyFile.');
    if ((tlsClientCaFile !== undefined) !== (tlsClientCert !== 'off'))
      throw new CrossCommError('CC_INVALID_OPTION', 'Client certificates need both tlsClientCaFile and tlsClientCert.');
    const tls = new TlsFiles(options);
    try {
      tls.#files = await WatchedFiles.open({
        what: 'The TLS certificate',
        paths: [tlsCertFile, tlsKeyFile, ...(tlsClientCaFile === undefined ? [] : [tlsClientCaFile])],
        intervalMs: options.tlsReloadMs,
        use: (contents) => tls.#use(contents),
      });
    } catch (cause) {
      throw new CrossCommError('CC_INVALID_OPTION', { detail: `The TLS files cannot be used: ${String(cause)}.`, cause });
    }
    return tls;
  }

  /** Options of the server. */
  get serverOptions(): ServerOptions {
    const { tlsClientCert, handshakeTimeoutMs } = this.options;
    return {
      ...this.#context,
      handshakeTimeout: handshakeTimeoutMs,
      requestCert: tlsClientCert !== 'off',
      // one that is no good counts as none where none is needed
      rejectUnauthorized: tlsClientCert === 'required',
    };
  }

  /** Gives a server each new certificate from now on; connections that are open keep theirs. */
  serve(server: TlsServer): void {
    this.#server = server;
  }

  close(): void {
    this.#files?.close();
  }

  #use([cert, key, ca]: readonly Buffer[]): void {
    const context: SecureContextOptions = { cert, key, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) };
    // throws when they do not belong together, before anything is changed
    createSecureContext(context);
    this.#context = context;
    this.#server?.setSecureContext(context);
    if (this.#server !== undefined) this.#logger.log('New TLS connections use the new certificate.');
  }
}
