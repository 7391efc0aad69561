import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long a browser may keep the answer to a preflight, in seconds. */
const MAX_AGE_SECONDS = 600;

/**
 * Tells browsers which pages may use the store (CORS). A page needs a signed URL all the same; cookies and HTTP
 * authentication are not let through.
 */
export class CrossOrigin {
  isAllowed: (origin: string) => boolean = () => false;

  /** Marks the answer for an allowed page. Answers preflights of such pages and then returns true. */
  answers(req: IncomingMessage, res: ServerResponse): boolean {
    const { origin } = req.headers;
    if (origin === undefined) return false;
    // also for pages that are refused: what they get must not be kept for the others
    res.setHeader('Vary', 'Origin');
    if (!this.isAllowed(origin)) return false;
    res.setHeader('Access-Control-Allow-Origin', origin);
    res.setHeader('Access-Control-Expose-Headers', '*');
    if (req.method !== 'OPTIONS') return false;
    res.writeHead(204, {
      'Access-Control-Allow-Methods': 'GET, HEAD, PUT',
      'Access-Control-Allow-Headers': '*',
      'Access-Control-Max-Age': String(MAX_AGE_SECONDS),
    });
    res.end();
    return true;
  }
}
