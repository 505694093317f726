/** Sample bytes for the kernel's tests and benchmark. */

import fc from 'fast-check';
import { utf8 } from '../src/base/bytes.ts';
import { isFault } from '../src/base/fault.ts';

/** Kinds of content: each takes another way through the compressor. */
export type Kind = 'zero' | 'noise' | 'period' | 'words' | 'sparse';
export const anyKind: fc.Arbitrary<Kind> = fc.constantFrom<Kind>(
  'zero',
  'noise',
  'period',
  'words',
  'sparse',
);

/** `length` bytes of a kind, the same for the same seed. */
export function fill(kind: Kind, length: number, seed: number): Uint8Array {
  let state = seed | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const words = ['alpha', 'beta', 'gamma ', 'delta-', 'epsilon', '\0\0\0'].map(utf8);
  const bytes = new Uint8Array(length);
  const period = 1 + (seed % 40);
  for (let at = 0; at < length; at++) {
    if (kind === 'noise' || (kind === 'period' && at < period)) bytes[at] = next();
    else if (kind === 'period') bytes[at] = bytes[at - period]!;
    else if (kind === 'sparse' && next() % 50 === 0) bytes[at] = next();
    else if (kind === 'words') {
      const word = words[next() % words.length]!;
      bytes.set(word.subarray(0, length - at), at);
      at += word.length - 1;
    }
  }
  return bytes;
}

/** Up to `max` bytes of any kind. */
export const anyFilled = (max: number): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(anyKind, fc.integer({ min: 0, max }), fc.nat())
    .map(([kind, length, seed]) => fill(kind, length, seed));

/** What a function gives, or the code of its Fault: any other error is thrown on. */
export function outcomeOf<T>(operation: () => T): T | string {
  try {
    return operation();
  } catch (error) {
    if (isFault(error, 'corrupt')) return error.code;
    throw error;
  }
}
