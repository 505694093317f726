/** Real chance: the operating system's generator, synchronously. */

import { getRandomValues } from 'node:crypto';

import { assert } from '../base/assert.ts';
import type { Chance } from '../base/ports.ts';

/** Bytes that one call to the generator may ask for. */
export const LIMITS = { bytesMax: 65_536 } as const;

/** The Chance of this machine. */
export const hostChance: Chance = {
  u32() {
    const [value = 0] = getRandomValues(new Uint32Array(1));
    return value;
  },
  bytes(count) {
    assert(count >= 0 && count <= LIMITS.bytesMax, () => `random bytes out of range: ${count}`);
    return getRandomValues(new Uint8Array(count));
  },
};
