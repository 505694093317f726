/**
 * LtxInspect: what one LTX file is, and whether it is whole: every byte is read and its checksum compared.
 */

import { must } from '../base/assert.ts';
import type { Checksum } from '../base/ids.ts';
import { LtxDecoder } from '../format/ltx-decoder.ts';
import type { LtxHeaderRead } from '../format/ltx-header.ts';

/** A verified LTX file. */
export interface LtxInspection {
  readonly header: LtxHeaderRead;
  readonly isSnapshot: boolean;
  /** How many pages it holds. */
  readonly pages: number;
  readonly size: number;
  readonly fileChecksum: Checksum;
}

/** A page of an inspected file. */
export interface LtxPage {
  readonly pgno: number;
  readonly checksum: Checksum;
}

/**
 * Reads a whole LTX file, chunk by chunk, and verifies it. `onPages` is told of pages before the file is
 * verified. Throws Fault corrupt (`ltx-truncated`, `ltx-checksum`, `ltx-index`, …).
 */
export async function ltxInspect(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  onPages?: (pages: readonly LtxPage[]) => void,
): Promise<LtxInspection> {
  const decoder = new LtxDecoder();
  for await (const chunk of chunks) {
    for (const { pgnos, checksums } of decoder.push(chunk)) {
      onPages?.(
        Array.from(pgnos, (pgno, i) => ({ pgno, checksum: must(checksums[i], 'one a page') as Checksum })),
      );
    }
  }
  const { header, trailer, pages, size } = decoder.end();
  return { header, isSnapshot: header.minTxid === 1n, pages, size, fileChecksum: trailer.fileChecksum };
}
