/* oxlint-disable no-console -- the one place that writes to the console; the option `logger` replaces it */
import type { ClientLogger } from './logger.js';

/** The default logger. */
export const consoleLogger: ClientLogger = {
  warn: (message, detail) => (detail === undefined ? console.warn(message) : console.warn(message, detail)),
  error: (message, detail) => (detail === undefined ? console.error(message) : console.error(message, detail)),
};
