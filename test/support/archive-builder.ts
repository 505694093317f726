/**
 * Builds archives from a list of states, the slow and obvious way: the other route to the truth for tests of
 * restore.
 *
 *     const states = [stateOf([1, 2, 3]), …];               state i is what TXID i+1 leaves
 *     const archive = await archiveBuild(store, states, { files: [{ level: 9, min: 1, max: 4 }] });
 */

import { must } from '../../src/base/assert.ts';
import { concat } from '../../src/base/bytes.ts';
import { epoch, txid } from '../../src/base/ids.ts';
import type { Checksum, WallMs } from '../../src/base/ids.ts';
import { pageChecksums } from '../../src/format/kernel.ts';
import { LtxEncoder } from '../../src/format/ltx-encoder.ts';
import type { LtxImage } from '../../src/format/ltx-encoder.ts';
import { CHECKSUM_FLAG } from '../../src/format/ltx-header.ts';
import { lockPage } from '../../src/format/sqlite-header.ts';
import { Archive } from '../../src/storage/archive.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';

/** The pages of a database: page `i + 1` at `i`. */
export type State = readonly Uint8Array[];

/** A file to put: the merge of TXIDs `min` … `max`. */
export interface BuiltFile {
  readonly level: number;
  readonly min: number;
  readonly max: number;
}

export interface BuildOptions {
  readonly pageSize: number;
  /** Beside L0; by default none. */
  readonly files?: readonly BuiltFile[];
  /** TXIDs whose L0 is left out. */
  readonly without?: readonly number[];
  /** Whether headers carry rolling checksums, by file; by default all. */
  readonly hasRolling?: (file: BuiltFile) => boolean;
  /** When a TXID was sealed. */
  readonly timestampMs?: (txid: number) => number;
}

/** Puts L0s of `states`, and the files asked for. */
export async function archiveBuild(
  store: ObjectStore,
  states: readonly State[],
  options: BuildOptions,
): Promise<Archive> {
  const archive = new Archive(store);
  const without = new Set(options.without);
  const uploads = states.map((_, i) => ({ level: 0, min: i + 1, max: i + 1 }));
  const files = [...uploads.filter(({ min }) => !without.has(min)), ...(options.files ?? [])];
  for (const file of files) {
    const image = ltxOf(states, file, options);
    await archive.put(file.level, image.header, image, { condition: { ifNoneMatch: '*' } });
  }
  return archive;
}

/** The LTX of TXIDs `min` … `max`: every page that any of them changed, as the last leaves it. */
export function ltxOf(states: readonly State[], file: BuiltFile, options: BuildOptions): LtxImage {
  const { min, max } = file;
  const { pageSize, hasRolling = () => true, timestampMs = (n) => n * 1_000 } = options;
  const state = stateAt(states, max);
  const changed = new Set<number>();
  for (let n = min; n <= max; n++)
    for (const pgno of changesOf(stateAt(states, n - 1), stateAt(states, n))) changed.add(pgno);
  const pgnos = [...changed]
    .filter((pgno) => pgno <= state.length && pgno !== lockPage(pageSize))
    .sort((a, b) => a - b);
  const encoder = new LtxEncoder(pageSize);
  if (pgnos.length > 0)
    encoder.add(Uint32Array.from(pgnos), concat(pgnos.map((pgno) => pageAt(state, pgno))));
  const before = stateAt(states, min - 1);
  const rolling = {
    post: rollingOf(state, pageSize),
    pre: min === 1 ? (0n as Checksum) : rollingOf(before, pageSize),
  };
  return encoder.finish({
    pageSize,
    commit: state.length,
    minTxid: txid(min),
    maxTxid: txid(max),
    timestampMs: timestampMs(max) as WallMs,
    walOffset: 32,
    walSize: 0,
    walSalt1: 1,
    walSalt2: max,
    epoch: epoch(1),
    counter: max,
    rolling: hasRolling(file) ? rolling : null,
  });
}

/** The bytes of a database file. */
export function imageOf(state: State): Uint8Array {
  return concat(state);
}

/** The rolling checksum of a database: XOR of all pages' checksums, bit 63 set. */
export function rollingOf(state: State, pageSize: number): Checksum {
  const pgnos = Uint32Array.from(state, (_, i) => i + 1);
  const sum = pageChecksums(pgnos, concat(state), pageSize).reduce((xor, checksum) => xor ^ checksum, 0n);
  return (sum | CHECKSUM_FLAG) as Checksum;
}

/** State 0 is no database: against it, every page has changed. */
function stateAt(states: readonly State[], n: number): State {
  return n === 0 ? [] : must(states[n - 1], `there is a state ${n}`);
}

function changesOf(before: State, after: State): number[] {
  const changes: number[] = [];
  after.forEach((page, i) => {
    if (before[i] !== page) changes.push(i + 1);
  });
  return changes;
}

function pageAt(state: State, pgno: number): Uint8Array {
  return must(state[pgno - 1], `there is a page ${pgno}`);
}
