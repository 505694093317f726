/**
 * The difference: one committed state of the database, compared with the page map, page by page.
 *
 * It heals every gap, and the first one of a database, against an empty map, is its snapshot.
 */

import { pageChecksums } from '../format/kernel.ts';
import type { PageBatch } from './image-reader.ts';
import type { Visitor } from './image.ts';
import { PageMap } from './page-map.ts';
import { Seal } from './seal.ts';

/** Seals the pages that `map` does not have. */
export function differenceVisitor(map: PageMap, pageSize: number): Visitor<Seal> {
  const seal = new Seal(pageSize);
  const batch = (all: PageBatch): void => {
    const changed = changedPages(all, map, pageSize);
    seal.add(changed.pgnos, changed.pages);
  };
  return { batch, value: seal };
}

/** Makes the page map of what it sees. */
export function mapVisitor(pageSize: number): Visitor<PageMap> {
  const map = new PageMap();
  const batch = ({ pgnos, pages }: PageBatch): void => {
    const sums = pageChecksums(pgnos, pages, pageSize);
    for (const [i, pgno] of pgnos.entries()) map.set(pgno, sums[i] ?? 0n);
  };
  return { batch, value: map };
}

/** The pages of a batch whose checksums differ from the map's, moved together in its buffer. */
function changedPages(batch: PageBatch, map: PageMap, pageSize: number): PageBatch {
  const sums = pageChecksums(batch.pgnos, batch.pages, pageSize);
  const pgnos = new Uint32Array(batch.pgnos.length);
  let count = 0;
  for (const [i, pgno] of batch.pgnos.entries()) {
    if (map.get(pgno) === sums[i]) continue;
    if (count < i) batch.pages.copyWithin(count * pageSize, i * pageSize, (i + 1) * pageSize);
    pgnos[count++] = pgno;
  }
  return { pgnos: pgnos.slice(0, count), pages: batch.pages.subarray(0, count * pageSize) };
}
