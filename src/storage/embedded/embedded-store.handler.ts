import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { StorageOptions } from '../storage.options.js';
import type { StoreCredentials } from './generate-credentials.js';
import type { MultipartStore } from './multipart-store.js';
import type { ObjectStore } from './object-store.js';
import { CrossOrigin } from './cross-origin.js';
import { OssError } from './oss-error.js';
import { isForStore, parseOssRequest, possibleTargets } from './oss-request.js';
import { verifySignature } from './oss-signature.js';
import { toXml } from './oss-xml-writer.js';
import { routeOperation } from './route-operation.js';

/** What the handler serves, and with which keys. */
export interface EmbeddedStoreParts {
  readonly objects: ObjectStore;
  readonly uploads: MultipartStore;
  readonly credentials: StoreCredentials;
  readonly options: StorageOptions;
  /** Told about failures that are not the client's: a full disk, damaged files. */
  readonly onError?: (error: unknown) => void;
}

/** How long a refused upload may go on, unread, before its connection is cut. */
const LINGER_MS = 5_000;

/** The OSS-compatible HTTP door of the object store; mount it on any `node:http` server, before other handlers. */
export class EmbeddedStoreHandler {
  readonly #crossOrigin = new CrossOrigin();

  constructor(private readonly parts: EmbeddedStoreParts) {}

  /** Lets browser pages of some origins read and write with signed URLs; without this call none may. */
  allowOrigins(isAllowed: (origin: string) => boolean): void {
    this.#crossOrigin.isAllowed = isAllowed;
  }

  /**
   * Answers the request if it is for the store and returns true; returns false, with nothing touched, if it is not.
   * For the store are requests with an OSS signature and those below `/<bucket>`.
   */
  handle(req: IncomingMessage, res: ServerResponse): boolean {
    if (!isForStore(req, this.parts.options.bucket)) return false;
    if (!this.#crossOrigin.answers(req, res)) void this.answer(req, res);
    return true;
  }

  /**
   * Lifts the time limit for whole requests (5 minutes in Node), which would cut long uploads; requests on which
   * nothing moves still end after `idleTimeoutMs`, and slow headers after the server's `headersTimeout`.
   */
  allowLongRequests(server: Server): void {
    server.requestTimeout = 0;
  }

  private async answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const requestId = randomBytes(12).toString('hex').toUpperCase();
    res.setHeader('x-oss-request-id', requestId);
    // Stored files are foreign content below the hub's own address: browsers must neither guess types nor run them.
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.setHeader('Content-Security-Policy', "sandbox; default-src 'none'");
    // Node cuts a socket whose time-out nobody listens for.
    req.socket.setTimeout(this.parts.options.idleTimeoutMs);
    try {
      const { credentials, options, ...stores } = this.parts;
      const request = parseOssRequest(req);
      const target = verifySignature(request, possibleTargets(request, options.bucket), {
        secretOf: (id) => (id === credentials.accessKeyId ? credentials.accessKeySecret : undefined),
        skewMs: options.signatureSkewMs,
        maxUrlValidityMs: options.maxUrlValidityMs,
        nowMs: Date.now(),
      });
      await routeOperation({ ...stores, ...target, options, request, req, res });
    } catch (error) {
      this.refuse(error, { req, res, requestId });
    }
  }

  private refuse(error: unknown, { req, res, requestId }: { req: IncomingMessage; res: ServerResponse; requestId: string }): void {
    const known = error instanceof OssError;
    const gone = res.destroyed || res.socket === null || isDisconnect(error);
    if (!gone && (!known || error.code === 'InternalError')) this.parts.onError?.(error);
    if (gone || res.headersSent) {
      res.destroy();
      return;
    }
    const refusal = known ? error : new OssError('InternalError');
    const document = toXml([
      'Error',
      [
        ['Code', refusal.code],
        ['Message', refusal.message],
        ['RequestId', requestId],
        ['HostId', req.headers.host ?? ''],
      ],
    ]);
    const body = Buffer.from(document, 'utf8');
    const headers: Record<string, string | number> = { 'Content-Type': 'application/xml', 'Content-Length': body.length };
    // A HEAD has no body to carry the code, so SDKs read it from this header.
    if (req.method === 'HEAD') Object.assign(headers, { 'x-oss-err': body.toString('base64'), 'Content-Length': 0 });
    if (!req.complete) headers['Connection'] = 'close';
    res.writeHead(refusal.status, headers);
    res.end(req.method === 'HEAD' ? undefined : body);
    if (!req.complete) linger(req);
  }
}

/** Reads the rest of a refused upload for a moment: a connection cut at once would lose the answer on its way. */
function linger(req: IncomingMessage): void {
  const timer = setTimeout(() => req.destroy(), LINGER_MS);
  timer.unref();
  req.on('close', () => clearTimeout(timer));
  req.on('error', () => undefined); // the client is gone; it was refused anyway
  req.resume();
}

function isDisconnect(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'EPIPE';
}
