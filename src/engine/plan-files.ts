/** PlanFiles: opens the files of a plan in parallel, and checks that they belong to one database. */

import { must } from '../base/assert.ts';
import { Fault } from '../base/fault.ts';
import { checksumFormat } from '../base/ids.ts';
import type { LtxFile } from '../storage/archive-keys.ts';
import { runLanes } from './lanes.ts';
import { PlanFile, naming } from './plan-file.ts';
import type { PlanFileOptions, ReadPart } from './plan-file.ts';

export const LIMITS = {
  /** Files that are opened at once. */
  lanes: 16,
  /** Bytes of a file's end to read at first, where there are not too many files. */
  tailBytesMax: 65_536,
  tailBytesMin: 4_096,
  /** Bytes of all tails together, and of the indexes that are read at one time. */
  heldBytesMax: 33_554_432,
  chunkBytesMax: 1_048_576,
} as const;

/**
 * Opens `files`, oldest first. Throws Fault corrupt, naming the object, or `ltx-chain` where they do not fit
 * together.
 */
export async function planFilesOpen(
  files: readonly LtxFile[],
  read: ReadPart,
  signal?: AbortSignal,
): Promise<readonly PlanFile[]> {
  const options = planFileOptions(files);
  const opened: PlanFile[] = new Array<PlanFile>(files.length);
  const open = async ([i, file]: [number, LtxFile]): Promise<void> => {
    opened[i] = await PlanFile.open(file, read, options);
  };
  await runLanes(LIMITS.lanes, files.entries(), open, signal);
  checkChain(opened);
  return opened;
}

/** How much of every file to keep, so that all together stay below the limit, however many they are. */
export function planFileOptions(files: readonly Pick<LtxFile, 'size'>[]): PlanFileOptions {
  const held = (tailBytes: number): number =>
    files.reduce((sum, { size }) => sum + Math.min(size, tailBytes), 0);
  let tailBytes: number = LIMITS.tailBytesMax;
  while (tailBytes > LIMITS.tailBytesMin && held(tailBytes) > LIMITS.heldBytesMax) tailBytes /= 2;
  const share = Math.floor(LIMITS.heldBytesMax / Math.max(files.length, 1));
  return { tailBytes, chunkBytes: Math.min(LIMITS.chunkBytesMax, Math.max(LIMITS.tailBytesMin, share)) };
}

function checkChain(files: readonly PlanFile[]): void {
  const { header: newest } = must(files.at(-1), 'a plan has files');
  // Before room for them is looked for: a flipped bit in the size would ask for terabytes.
  const pagesMax = files.reduce((sum, file) => sum + file.pagesMax, 1);
  if (newest.commit > pagesMax) {
    throw new Fault(
      'corrupt',
      'page-missing',
      `the plan holds ${pagesMax} pages at most, not ${newest.commit}`,
    );
  }
  for (const [i, { file, header }] of files.entries()) {
    naming(file, () => {
      if (header.pageSize === newest.pageSize) return;
      const sizes = `pages of ${header.pageSize} bytes, the newest file of ${newest.pageSize}`;
      throw new Fault('corrupt', 'ltx-page-size', `it has ${sizes}`);
    });
    const before = files[i - 1]?.header;
    if (before === undefined || before.rolling === null || header.rolling === null) continue;
    if (header.rolling.pre === 0n) continue;
    if (header.minTxid !== before.maxTxid + 1n || header.rolling.pre === before.rolling.post) continue;
    const [pre, post] = [checksumFormat(header.rolling.pre), checksumFormat(before.rolling.post)];
    throw new Fault(
      'corrupt',
      'ltx-chain',
      `${file.key} continues checksum ${pre}, the file before it ends with ${post}`,
    );
  }
}
