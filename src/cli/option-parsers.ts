import { InvalidArgumentError } from 'commander';

/** A number of zero or more. */
export function numberOption(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) throw new InvalidArgumentError('It must be a number of zero or more.');
  return value;
}

/** A whole number of zero or more. */
export function wholeNumberOption(text: string): number {
  const value = numberOption(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number.');
  return value;
}

/** An option that may be repeated. */
export function listOption(text: string, before: string[]): string[] {
  return [...before, text];
}
