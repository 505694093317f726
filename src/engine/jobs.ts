/**
 * Jobs: what the engine has worker threads do. Pure functions of bytes; input and output survive a structured
 * clone.
 */

import { Fault } from '../base/fault.ts';
import type { Checksum } from '../base/ids.ts';
import type { JobTable } from '../base/ports.ts';
import { ltxFramesDecode } from '../format/ltx-frame.ts';
import type { LtxRun } from '../format/ltx-frame.ts';

/** A range of an LTX file, and the frames in it: offsets count from the beginning of `bytes`, ascending. */
export interface DecodeInput {
  readonly bytes: Uint8Array;
  readonly pageSize: number;
  readonly pgnos: Uint32Array;
  readonly offsets: Float64Array;
  readonly sizes: Uint32Array;
  /** 1 where the page is wanted. */
  readonly isOwned: Uint8Array;
}

/** The wanted pages, ascending, the XOR of their checksums, and the CRC over all frames. */
export interface DecodeOutput {
  readonly pgnos: Uint32Array;
  readonly pages: Uint8Array;
  readonly checksum: bigint;
  /** From nothing, over `crcBytes` decoded bytes. Only of use where the frames leave no gap. */
  readonly crc: Checksum;
  readonly crcBytes: number;
}

/** The jobs of the engine, by name. */
export const jobs: { readonly decodeFrames: typeof decodeFrames } = { decodeFrames } satisfies JobTable;

/** The jobs that `restore` needs of a pool. */
export type RestoreJobs = typeof jobs;

const FRAME = { flagsEnd: 6, block: 10 } as const;
const HAS_SIZE = 1;

/** Decodes page frames that an index describes. Throws Fault corrupt where frames and index disagree. */
export function decodeFrames(input: DecodeInput): DecodeOutput {
  const { pgnos, isOwned, pageSize } = input;
  const owned = isOwned.reduce((count, flag) => count + flag, 0);
  const out = { pgnos: new Uint32Array(owned), pages: new Uint8Array(owned * pageSize) };
  let crc = 0n as Checksum;
  let crcBytes = 0;
  let checksum = 0n;
  let kept = 0;
  for (let first = 0; first < pgnos.length;) {
    const end = runEnd(input, first);
    const run = decodeRun(input, first, end, crc);
    for (let i = first; i < end; i++) {
      if (isOwned[i] === 0) continue;
      const at = (i - first) * pageSize;
      out.pgnos[kept] = pgnos[i] as number;
      out.pages.set(run.pages.subarray(at, at + pageSize), kept * pageSize);
      checksum ^= run.checksums[i - first] as bigint;
      kept++;
    }
    crc = run.crc;
    crcBytes += (end - first) * ((hasSize(input, first) ? FRAME.block : FRAME.flagsEnd) + pageSize);
    first = end;
  }
  return { ...out, checksum, crc, crcBytes };
}

/** Behind the last frame that follows frame `first` without a gap, in the same encoding. */
function runEnd(input: DecodeInput, first: number): number {
  const { offsets, sizes } = input;
  const isBlock = hasSize(input, first);
  let end = first + 1;
  for (; end < offsets.length && hasSize(input, end) === isBlock; end++) {
    if (offsets[end] !== (offsets[end - 1] as number) + (sizes[end - 1] as number)) break;
  }
  return end;
}

function hasSize({ bytes, offsets }: DecodeInput, i: number): boolean {
  return bytes[(offsets[i] as number) + FRAME.flagsEnd - 1] === HAS_SIZE;
}

/** Decodes frames `first` … `end - 1`, which lie one behind the other. */
function decodeRun(input: DecodeInput, first: number, end: number, before: Checksum): LtxRun {
  const { bytes, offsets, sizes, pgnos, pageSize } = input;
  const from = offsets[first] as number;
  const to = (offsets[end - 1] as number) + (sizes[end - 1] as number);
  const run = ltxFramesDecode(bytes.subarray(from, to), pageSize, before);
  if (run.pgnos.length !== end - first) {
    throw frameMismatch(`${run.pgnos.length} frames stand where the index has ${end - first}`);
  }
  for (let i = first; i < end; i++) {
    const found = run.pgnos[i - first] as number;
    if (found !== pgnos[i]) throw frameMismatch(`page ${found} stands where the index has page ${pgnos[i]}`);
  }
  return run;
}

function frameMismatch(why: string): Fault {
  return new Fault('corrupt', 'ltx-frame', `page frames and page index disagree: ${why}`);
}
