/**
 * What an archive says, read the plain way: every L0 in order, applied to an array of pages.
 *
 * Checks I5 (TXIDs are contiguous), I6 in part (no page beyond the end, none missing below it) and I7 (the
 * rolling checksum after each TXID is the one that it carries, and the next one begins with it).
 */

import type { Txid } from '../../src/base/ids.ts';
import { pageChecksums } from '../../src/format/kernel.ts';
import { LtxDecoder } from '../../src/format/ltx-decoder.ts';
import type { LtxHeaderRead } from '../../src/format/ltx-header.ts';
import type { Archive, LtxFile } from '../../src/storage/archive.ts';

/** The database at one TXID, as the archive has it. */
export interface ChainImage {
  readonly txid: Txid;
  readonly header: LtxHeaderRead;
  readonly pages: readonly Uint8Array[];
}

/** All images of an archive's L0 files, and what is wrong with them. */
export interface ChainReading {
  readonly images: readonly ChainImage[];
  readonly violations: readonly string[];
}

const CHECKSUM_FLAG = 1n << 63n;

/** Reads all L0 files of an archive. */
export async function readChain(archive: Archive): Promise<ChainReading> {
  const images: ChainImage[] = [];
  const violations: string[] = [];
  let pages: readonly Uint8Array[] = [];
  let rolling: bigint | null = null;
  for (const file of await archive.list(0)) {
    const expected = BigInt(images.length + 1);
    if (file.minTxid !== expected)
      violations.push(`I5: TXID ${file.minTxid} stands where ${expected} is due`);
    const { header, pages: next } = await apply(archive, file, pages, violations);
    if (rolling !== null && header.rolling !== null && header.rolling.pre !== rolling) {
      violations.push(`I7: TXID ${file.minTxid} begins with another checksum than its predecessor ends with`);
    }
    pages = next;
    rolling = header.rolling?.post ?? null;
    if (rolling === null) violations.push(`I7: TXID ${file.minTxid} carries no rolling checksum`);
    else if (rolling !== checksumOf(pages))
      violations.push(`I7: TXID ${file.minTxid} has another checksum than it carries`);
    images.push({ txid: file.minTxid, header, pages });
  }
  return { images, violations };
}

async function apply(
  archive: Archive,
  file: LtxFile,
  before: readonly Uint8Array[],
  violations: string[],
): Promise<{ readonly header: LtxHeaderRead; readonly pages: readonly Uint8Array[] }> {
  const decoder = new LtxDecoder();
  const written = new Map<number, Uint8Array>();
  for (const batch of decoder.push(await archive.read(file))) {
    const size = batch.pages.length / batch.pgnos.length;
    for (const [i, pgno] of batch.pgnos.entries())
      written.set(pgno, batch.pages.slice(i * size, (i + 1) * size));
  }
  const { header } = decoder.end();
  const pages: Uint8Array[] = [];
  for (let pgno = 1; pgno <= header.commit; pgno++) {
    const page = written.get(pgno) ?? before[pgno - 1];
    if (page === undefined)
      violations.push(`I6: TXID ${file.minTxid} grows to ${header.commit} without page ${pgno}`);
    pages.push(page ?? new Uint8Array(header.pageSize));
  }
  for (const pgno of written.keys()) {
    if (pgno > header.commit)
      violations.push(`I6: TXID ${file.minTxid} holds page ${pgno} beyond its ${header.commit}`);
  }
  return { header, pages };
}

function checksumOf(pages: readonly Uint8Array[]): bigint {
  let sum = CHECKSUM_FLAG;
  for (const [i, page] of pages.entries()) {
    sum ^= pageChecksums(Uint32Array.of(i + 1), page, page.length)[0]! & ~CHECKSUM_FLAG;
  }
  return sum;
}
