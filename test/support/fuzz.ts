/** Fuzzing of codecs: bytes that were damaged, and the rule that nothing but a Fault may come of them. */

import { ok } from 'node:assert/strict';

import fc from 'fast-check';

import { isFault, messageOf } from '../../src/base/fault.ts';

/** One way to damage bytes. `at` and `size` are taken modulo what is there. */
interface Damage {
  readonly kind: 'flip' | 'set' | 'word' | 'cut' | 'drop' | 'repeat';
  readonly at: number;
  readonly size: number;
  readonly value: number;
}

const WORDS = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] as const;

const damage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom('flip', 'set', 'word', 'cut', 'drop', 'repeat'),
  at: fc.nat(1_000_000),
  size: fc.nat(64),
  value: fc.nat(255),
});

/** One to four damages, to be applied with `damaged`. */
export const damages: fc.Arbitrary<readonly Damage[]> = fc.array(damage, { minLength: 1, maxLength: 4 });

/** A copy of `bytes` with damages done to it. */
export function damaged(bytes: Uint8Array, all: readonly Damage[]): Uint8Array {
  return all.reduce(damagedOnce, Uint8Array.from(bytes));
}

function damagedOnce(bytes: Uint8Array, { kind, at, size, value }: Damage): Uint8Array {
  if (bytes.length === 0) return bytes;
  const from = at % bytes.length;
  const end = Math.min(bytes.length, from + size);
  const copy = Uint8Array.from(bytes);
  switch (kind) {
    case 'flip':
      copy[from] = (copy[from] ?? 0) ^ (1 << (value & 7));
      return copy;
    case 'set':
      return copy.fill(value, from, end);
    case 'word': {
      const place = Math.min(from, bytes.length - 4);
      if (place >= 0) new DataView(copy.buffer).setUint32(place, WORDS[value % WORDS.length] ?? 0);
      return copy;
    }
    case 'cut':
      return copy.slice(0, from);
    case 'drop':
      return Uint8Array.from([...copy.subarray(0, from), ...copy.subarray(end)]);
    case 'repeat':
      return Uint8Array.from([...copy.subarray(0, end), ...copy.subarray(from)]);
  }
}

/**
 * Runs `action`: it may return, or throw a Fault of kind `corrupt` or `invalid`, and nothing else.
 * Says whether it returned.
 */
export function faultsOnly(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch (error) {
    ok(isFault(error, 'corrupt', 'invalid'), `not a Fault of kind corrupt or invalid: ${messageOf(error)}`);
    return false;
  }
}
