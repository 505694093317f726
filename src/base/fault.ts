/**
 * Fault: the one class of operating error. Its `kind` says what to do about it.
 *
 * Expected outcomes are values, programmer's errors are a `Bug`; everything else that goes wrong is a Fault
 * with a stable code, a sentence with the numbers in it, and a hint with what to type.
 */

/**
 * What to do:
 * `invalid` correct the request or the configuration · `unavailable` retry with backoff · `conflict` reread
 * and decide again · `fenced` stop writing, for good · `gap` history is missing: heal, or take a snapshot ·
 * `corrupt` stop, and keep the evidence.
 */
export type FaultKind = 'invalid' | 'unavailable' | 'conflict' | 'fenced' | 'gap' | 'corrupt';

export interface FaultOptions {
  /** What to do about it, with the command to type. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Facts for machines (`--json`), such as the range that exists. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** An operating error. `code` is stable API: kebab-case, unique for each way to fail. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly kind: FaultKind;
  readonly code: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(kind: FaultKind, code: string, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

/** Whether `error` is a Fault, of one of `kinds` where any are named. */
export function isFault(error: unknown, ...kinds: readonly FaultKind[]): error is Fault {
  return error instanceof Fault && (kinds.length === 0 || kinds.includes(error.kind));
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
