/**
 * Chance from a seed: everything random in a simulated world comes from here.
 *
 * Contract: the same seed draws the same numbers. `fork` gives a part of the world numbers of its own, so
 * that one more draw in one part does not shift those of all others.
 */

import { assert, must } from '../../src/base/assert.ts';
import type { Chance } from '../../src/base/ports.ts';

/** Chance from a seed (sfc32). */
export class SimChance implements Chance {
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  constructor(seed: number, name = '') {
    this.#a = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b);
    this.#b = seed | 0;
    this.#c = 0xc2b2_ae35 | 0;
    for (let i = 0; i < name.length; i++) {
      this.#a = Math.imul(this.#a ^ name.charCodeAt(i), 0x0100_0193);
      this.#c ^= this.#a >>> 7;
    }
    for (let i = 0; i < 16; i++) this.u32();
  }

  u32(): number {
    const sum = (this.#a + this.#b + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i += 4) {
      const word = this.u32();
      for (let j = 0; j < 4 && i + j < count; j++) bytes[i + j] = word >>> (8 * j);
    }
    return bytes;
  }

  /** Chance of its own for the part called `name`. */
  fork(name: string): SimChance {
    return new SimChance(this.u32(), name);
  }

  /** Uniform, 0 … 1 without 1. */
  real(): number {
    return this.u32() / 2 ** 32;
  }

  /** A uniform integer, 0 … `bound` without `bound`. */
  below(bound: number): number {
    assert(bound >= 1, () => `below(${bound})`);
    return Math.floor(this.real() * bound);
  }

  /** A uniform integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True with this probability. */
  flip(probability: number): boolean {
    return this.real() < probability;
  }

  /** One of `items`. */
  pick<T>(items: readonly T[]): T {
    return must(items[this.below(items.length)], 'pick: something to choose from');
  }

  /** Milliseconds: mostly near `typicalMs`, now and then twenty times as long. */
  latencyMs(typicalMs: number): number {
    return typicalMs * (0.2 + 1.6 * this.real()) * (this.flip(0.02) ? 20 : 1);
  }
}
