/**
 * Archive lint: which of the rules W1 … W12 (docs/internals/archive-rules.md) an archive breaks, as a
 * listing and the files themselves show it. Every file is read whole and verified.
 *
 * Not to be seen in an archive: which readers there are (W10), and who else writes (W12 shows as epochs
 * that go back). Retention may have deleted old files: what is missing at the front is no violation where
 * other files cover it.
 */

import { isFault } from '../../src/base/fault.ts';
import type { Txid } from '../../src/base/ids.ts';
import { LtxDecoder } from '../../src/format/ltx-decoder.ts';
import type { LtxHeaderRead } from '../../src/format/ltx-header.ts';
import { lockPage } from '../../src/format/sqlite-header.ts';
import type { Archive, LtxFile } from '../../src/storage/archive.ts';

/**
 * The rules that can be seen to be broken; `I5` and `I7` are invariants, `readable` is what all of them
 * need.
 */
export const LINT_RULES = [
  'readable',
  'W1',
  'W2',
  'W3',
  'W4',
  'W5',
  'W6',
  'W7',
  'W8',
  'W9',
  'W11',
  'W12',
  'I7',
] as const;

type Complain = (rule: (typeof LINT_RULES)[number], file: LtxFile | null, what: string) => void;

interface Checked {
  readonly file: LtxFile;
  readonly header: LtxHeaderRead;
  readonly postApply: bigint;
  readonly pgnos: readonly number[];
}

/** What is wrong with an archive, one sentence each, beginning with the rule: `W6 ltx/0/….ltx: …`. */
export async function lintArchive(archive: Archive): Promise<string[]> {
  const violations: string[] = [];
  const complain: Complain = (rule, file, what) => {
    violations.push(`${rule} ${file === null ? '' : `${file.key}: `}${what}`);
  };
  const listed = await archive.listAll();
  const files: Checked[] = [];
  for (const file of listed) {
    const checked = await check(archive, file, complain);
    if (checked !== null) files.push(checked);
  }
  const levels = Array.from({ length: 10 }, (_, level) => listed.filter((file) => file.level === level));
  checkUploads(levels, complain);
  checkLevels(levels, complain);
  checkHeaders(files, complain);
  checkGrowth(files, complain);
  checkOrder(files, archive.store.capabilities.modifiedTime === 'kept', complain);
  await checkPageSize(archive, files, complain);
  return violations;
}

/** Reads and verifies one file; `null`: it cannot be read, which was complained of. */
async function check(archive: Archive, file: LtxFile, complain: Complain): Promise<Checked | null> {
  let bytes = new Uint8Array(0);
  try {
    bytes = Uint8Array.from(await archive.read(file));
    const decoder = new LtxDecoder();
    const pgnos: number[] = [];
    for (const batch of decoder.push(bytes)) pgnos.push(...batch.pgnos);
    const { header, trailer } = decoder.end();
    if (header.minTxid !== file.minTxid || header.maxTxid !== file.maxTxid) {
      complain('W1', file, `its header says ${header.minTxid} to ${header.maxTxid}`);
      return null;
    }
    return { file, header, postApply: trailer.postApply, pgnos };
  } catch (error) {
    if (!isFault(error)) throw error;
    complain(ruleOf(file, bytes, error.code), file, error.message);
    return null;
  }
}

/** The rule that a file breaks which cannot be decoded. */
function ruleOf(file: LtxFile, bytes: Uint8Array, code: string): (typeof LINT_RULES)[number] {
  const commit = bytes.length < 16 ? 1 : new DataView(bytes.buffer).getUint32(12);
  if (code === 'ltx-header' && commit === 0) return 'W11';
  return code === 'ltx-pages' && file.minTxid === 1n ? 'W2' : 'readable';
}

/** W1, W5: one TXID a file, none missing, the newest there. */
function checkUploads(levels: readonly (readonly LtxFile[])[], complain: Complain): void {
  const [uploads = [], ...higher] = levels;
  for (const file of uploads)
    if (file.minTxid !== file.maxTxid) complain('W1', file, 'it holds several TXIDs');
  checkContiguous('W1', uploads, complain);
  const first = uploads[0];
  const newest = uploads.at(-1);
  const covered = higher.flat();
  if (first !== undefined && first.minTxid > 1n && reachFromOne(covered) < first.minTxid - 1n) {
    complain('W1', first, `the TXIDs before it are in no file: they reach to ${reachFromOne(covered)}`);
  }
  for (const file of covered) {
    if (newest === undefined || file.maxTxid > newest.maxTxid) {
      complain(
        'W5',
        file,
        `the newest level 0 file is ${newest?.key ?? 'missing'}, which this one goes beyond`,
      );
    }
  }
}

/** The TXID that a chain of files from TXID 1 reaches. */
function reachFromOne(files: readonly LtxFile[]): bigint {
  let reach = 0n;
  for (let before = -1n; before !== reach;) {
    before = reach;
    for (const { minTxid, maxTxid } of files) if (minTxid <= reach + 1n && maxTxid > reach) reach = maxTxid;
  }
  return reach;
}

function checkContiguous(rule: 'W1' | 'W7', files: readonly LtxFile[], complain: Complain): void {
  for (const [i, file] of files.entries()) {
    const before = files[i - 1];
    if (before === undefined || file.minTxid === before.maxTxid + 1n) continue;
    complain(rule, file, `it follows ${before.key}: its level is not contiguous`);
  }
}

/** W2, W7: snapshots at level 9; other levels contiguous, and aligned with the one below. */
function checkLevels(levels: readonly (readonly LtxFile[])[], complain: Complain): void {
  for (const file of levels[9] ?? []) if (file.minTxid !== 1n) complain('W2', file, 'it is no snapshot');
  for (let level = 1; level <= 8; level++) {
    const files = levels[level] ?? [];
    checkContiguous('W7', files, complain);
    for (const file of files) {
      const straddles = ({ minTxid, maxTxid }: LtxFile): boolean =>
        minTxid <= file.maxTxid && maxTxid > file.maxTxid;
      const below = levels[level - 1]?.find(straddles);
      if (below !== undefined) complain('W7', file, `it ends within ${below.key}`);
    }
  }
}

/** W3, W4: what Litestream's compactor and a take-over by it need. */
function checkHeaders(files: readonly Checked[], complain: Complain): void {
  for (const { file, header, postApply } of files) {
    if (header.hasChecksums || header.preApply !== 0n || postApply !== 0n) {
      complain('W3', file, 'it carries checksums of its own for the database');
    }
    const { walOffset, walSalt1, walSalt2 } = header;
    if (file.level === 0 && (walOffset < 32 || (walSalt1 === 0 && walSalt2 === 0))) {
      complain('W4', file, `its WAL position is ${walOffset} with salts ${walSalt1}, ${walSalt2}`);
    }
  }
}

/** W6: every page by which the database grew is in the file. */
function checkGrowth(files: readonly Checked[], complain: Complain): void {
  const commits = new Map<Txid, number>();
  for (const { file, header } of files) commits.set(file.maxTxid, header.commit);
  for (const { file, header, pgnos } of files) {
    const before = commits.get((file.minTxid - 1n) as Txid);
    if (before === undefined || header.commit <= before) continue;
    const lock = lockPage(header.pageSize);
    const expected = header.commit - before - (lock > before && lock <= header.commit ? 1 : 0);
    const found = pgnos.filter((pgno) => pgno > before).length;
    if (found !== expected) {
      const growth = `${before} to ${header.commit} pages`;
      complain('W6', file, `the database grows from ${growth}, but ${found} of ${expected} are in the file`);
    }
  }
}

/** W9, W12, I7: times, epochs and rolling checksums along the TXIDs of each level. */
function checkOrder(files: readonly Checked[], isTimeKept: boolean, complain: Complain): void {
  for (const [i, { file, header }] of files.entries()) {
    if (isTimeKept && file.modifiedMs !== header.timestampMs) {
      complain('W9', file, `the object's time is ${file.modifiedMs}, the file's ${header.timestampMs}`);
    }
    const before = files[i - 1];
    if (before === undefined || before.file.level !== file.level) continue;
    if (header.timestampMs < before.header.timestampMs) {
      complain(
        'W9',
        file,
        `its time lies ${before.header.timestampMs - header.timestampMs} ms before the last`,
      );
    }
    if (file.level !== 0) continue;
    if (header.epoch < before.header.epoch) {
      complain('W12', file, `epoch ${header.epoch} follows epoch ${before.header.epoch}`);
    }
    const [pre, post] = [header.rolling?.pre, before.header.rolling?.post];
    if (pre !== undefined && post !== undefined && pre !== post) {
      complain('I7', file, `it applies to ${pre.toString(16)}, not to ${post.toString(16)} before it`);
    }
  }
}

/** W8: one page size. */
async function checkPageSize(archive: Archive, files: readonly Checked[], complain: Complain): Promise<void> {
  const identity = await archive.identity();
  const pageSize = identity?.lineages.at(-1)?.pageSize ?? files[0]?.header.pageSize;
  for (const { file, header } of files) {
    if (header.pageSize !== pageSize)
      complain('W8', file, `its pages have ${header.pageSize} bytes, not ${pageSize}`);
  }
}
