/**
 * Assertions: what must hold is said where it must hold.
 *
 * A failed assertion is a `Bug`: the program is wrong, not its input. Nobody catches a Bug; bad input is a
 * `Fault`.
 */

/** A programmer's error. Nobody catches it but the process's last handler. */
export class Bug extends Error {
  override readonly name = 'Bug';
}

/** Throws a Bug unless `condition` holds. The message may be a function, for hot paths. */
export function assert(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new Bug(typeof message === 'string' ? message : message());
}

/** Returns `value`, which must be there. */
export function must<T>(value: T | null | undefined, message: string): T {
  if (value === null || value === undefined) throw new Bug(message);
  return value;
}

/** The end of an exhaustive `switch`: fails to compile while a case is missing. */
export function unreachable(value: never): never {
  throw new Bug(`unreachable: ${String(value)}`);
}
