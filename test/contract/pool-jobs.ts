/** The jobs that the Pool contract runs: pure functions of bytes, as all jobs are. */

import { Fault } from '../../src/base/fault.ts';
import type { JobTable } from '../../src/base/ports.ts';

export interface PoolJobs extends JobTable {
  /** Adds one to each byte. */
  readonly increment: (input: Numbered) => Numbered;
  /** Several arrays, one of them a part of a larger buffer. */
  readonly parts: (count: number) => Parts;
  readonly fault: (size: number) => never;
  /** A programmer's error: what is read is not there. */
  readonly mistake: (input: { readonly absent?: { readonly size: number } }) => number;
}

export interface Numbered {
  readonly id: bigint;
  readonly bytes: Uint8Array;
}

export interface Parts {
  readonly numbers: Uint32Array;
  readonly wide: readonly BigUint64Array[];
  readonly part: Uint8Array;
}

export const poolJobs: PoolJobs = {
  increment: ({ id, bytes }) => ({ id, bytes: bytes.map((byte) => byte + 1) }),
  parts: (count) => ({
    numbers: new Uint32Array(count).fill(7),
    wide: [new BigUint64Array(count).fill(1n << 63n)],
    part: new Uint8Array(count + 8).fill(9).subarray(4, 4 + count),
  }),
  fault(size) {
    throw new Fault('corrupt', 'test-corrupt', `${size} bytes are corrupt`, {
      hint: 'type something else',
      details: { size },
    });
  },
  mistake: (input) => (input.absent as { readonly size: number }).size,
};
