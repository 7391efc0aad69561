import { Logger, type LoggerService } from '@nestjs/common';

/** Keeps what Nest logs, one text per line, errors with their stacks. Use `restore` when done. */
export class RecordingLogger implements LoggerService {
  readonly errors: string[] = [];
  readonly warnings: string[] = [];
  readonly lines: string[] = [];

  static install(): RecordingLogger {
    const logger = new RecordingLogger();
    Logger.overrideLogger(logger);
    return logger;
  }

  log(...parts: unknown[]): void {
    this.lines.push(textOf(parts));
  }

  warn(...parts: unknown[]): void {
    this.warnings.push(textOf(parts));
  }

  error(...parts: unknown[]): void {
    this.errors.push(textOf(parts));
  }

  debug(): void {}

  verbose(): void {}

  restore(): void {
    Logger.overrideLogger(false);
  }
}

function textOf(parts: readonly unknown[]): string {
  return parts.map((part) => (part instanceof Error ? String(part.stack) : String(part))).join(' ');
}
