/**
 * The trace: what happened in a simulated world, in order, as one hash.
 *
 * Contract: two runs of one seed end with the same hash. Every change that leaves a process is noted; reading
 * is not.
 */

const LIMITS = { tailMax: 400 } as const;

/** What happened, in order: a hash of everything, and the last entries as text. */
export class Trace {
  #low = 0x811c_9dc5;
  #high = 0x1234_5678;
  #count = 0;
  readonly #tail: string[] = [];
  /** Prints every entry as it comes; for people who replay a seed. */
  onEntry: ((entry: string) => void) | undefined;

  /** Notes one happening. `bytes`, if any, are hashed but not kept. */
  note(what: string, bytes?: Uint8Array): void {
    for (let i = 0; i < what.length; i++) this.#mix(what.charCodeAt(i));
    if (bytes !== undefined) this.#mix(fold(bytes));
    this.#mix(0x1_0000 + (bytes?.length ?? 0));
    this.#count += 1;
    if (this.#tail.length === LIMITS.tailMax) this.#tail.shift();
    this.#tail.push(what);
    this.onEntry?.(what);
  }

  /** How many entries there are. */
  get count(): number {
    return this.#count;
  }

  /** The hash of everything so far: 16 hex digits. */
  get hash(): string {
    const low = (this.#low >>> 0).toString(16).padStart(8, '0');
    return (this.#high >>> 0).toString(16).padStart(8, '0') + low;
  }

  /** The last `count` entries, oldest first. */
  tail(count: number): readonly string[] {
    return this.#tail.slice(-count);
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x0100_0193);
    this.#high = Math.imul(this.#high ^ (this.#low >>> 15) ^ value, 0x85eb_ca6b);
  }
}

/**
 * 32 bits of any bytes: quick, not strong. Differs from the product's checksums on purpose: a second opinion.
 */
export function fold(bytes: Uint8Array, seed = 0): number {
  let sum = 0x9e37_79b9 ^ seed ^ bytes.length;
  const whole = bytes.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    sum = Math.imul(sum ^ word, 0x5bd1_e995);
    sum ^= sum >>> 13;
  }
  for (let i = whole; i < bytes.length; i++) sum = Math.imul(sum ^ bytes[i]!, 0x0100_0193);
  return sum >>> 0;
}
