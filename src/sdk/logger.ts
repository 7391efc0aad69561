/** Where the client reports what nobody handles: `console` has this shape, and so have most loggers. */
export interface ClientLogger {
  warn(message: string, detail?: unknown): void;
  error(message: string, detail?: unknown): void;
}
