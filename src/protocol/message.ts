import type { Envelope } from './envelope.js';

/**
 * What a listener gets: an envelope whose content was prepared for it (bytes decoded, attachments downloaded when the
 * listener has a `downloadDirectory`). Each listener gets an object of its own, unlike in the Python client, where
 * a change by one listener is seen by the next.
 */
export interface Message<Content = unknown> extends Envelope {
  readonly content: Content;
  /** Local path of the downloaded attachment; undefined when nothing was downloaded. */
  readonly localPath?: string;
  /** Why the download failed; the message is still delivered, with its original content. */
  readonly downloadError?: Error;
}
