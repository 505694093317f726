/**
 * Upload: one sealed TXID becomes an object of the archive, or somebody else's object is found in its place.
 *
 * The key is a function of the TXID and the PUT is conditional, so of two writers one is told `exists`. An
 * answer may be lost, so whoever is told `exists` looks whether the object is its own. While the outcome is
 * not known the same bytes go to the same key again.
 */

import { view } from '../base/bytes.ts';
import { Fault } from '../base/fault.ts';
import { checksum, txidFormat } from '../base/ids.ts';
import type { Checksum, Epoch } from '../base/ids.ts';
import type { Machine } from '../base/ports.ts';
import { retry } from '../base/retry.ts';
import type { LtxImage } from '../format/ltx-encoder.ts';
import type { LtxHeader } from '../format/ltx-header.ts';
import type { Archive } from '../storage/archive.ts';

const CHECKSUM_BYTES = 8;

/** Who uploads. */
export interface Uploader {
  /** The epochs of this database's writers: the first is the present one's. */
  readonly epochs: readonly Epoch[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Puts an L0 until it is there. Faults: `fenced-by-epoch`, `epoch-twin`, `foreign-writer` (all `fenced`), and
 * `late-object` (unavailable): a PUT of an earlier writer of this database arrived only now, start anew.
 */
export async function upload(
  machine: Machine,
  archive: Archive,
  image: LtxImage,
  { epochs, signal }: Uploader,
): Promise<void> {
  const { clock, chance, log } = machine;
  const { header } = image;
  const attempt = async (): Promise<'stored' | 'exists'> => {
    const condition = { ifNoneMatch: '*' } as const;
    const put = await archive.put(0, header, image, { condition, signal });
    return put.outcome === 'stored' ? 'stored' : 'exists';
  };
  const outcome = await retry(clock, chance, attempt, {
    attemptsMax: Infinity,
    signal,
    onRetry: (error, count, waitMs) => {
      log.warn('upload failed, trying again', {
        txid: txidFormat(header.maxTxid),
        count,
        waitMs,
        error: error.message,
      });
    },
  });
  if (outcome === 'stored') return;
  const there = await retry(clock, chance, () => objectAt(archive, header), { signal });
  if (there.header.epoch === header.epoch && there.fileChecksum === image.fileChecksum) return;
  if (epochs.slice(1).includes(there.header.epoch)) {
    const writer = `this database's writer of epoch ${there.header.epoch}`;
    const message = `TXID ${txidFormat(header.maxTxid)} was uploaded by ${writer}, late`;
    throw new Fault('unavailable', 'late-object', message);
  }
  throw notOurs(archive, header, there.header);
}

/** The header and the file checksum of the object that stands at the TXID of `header`. */
export async function objectAt(
  archive: Archive,
  { maxTxid }: Pick<LtxHeader, 'maxTxid'>,
): Promise<{ readonly header: LtxHeader; readonly fileChecksum: Checksum }> {
  const file = await archive.find(0, maxTxid);
  if (file === null) {
    throw new Fault('unavailable', 'object-vanished', `TXID ${txidFormat(maxTxid)} was there and is not`);
  }
  const header = await archive.readHeader(file);
  const range = { offset: file.size - CHECKSUM_BYTES, length: CHECKSUM_BYTES };
  return { header, fileChecksum: checksum(view(await archive.read(file, range)).getBigUint64(0)) };
}

/** Another writer's object stands where ours should be: this writer stops, by name. */
function notOurs(archive: Archive, ours: LtxHeader, theirs: LtxHeader): Fault {
  const place = `TXID ${txidFormat(ours.maxTxid)} in ${archive.url}`;
  const hint = `nothing durable is lost; stop the other writer, then see \`millrace ls ${archive.url}\``;
  if (theirs.epoch > ours.epoch) {
    const message = `${place} was written by epoch ${theirs.epoch}; this writer has epoch ${ours.epoch}`;
    return new Fault('fenced', 'fenced-by-epoch', message, { hint });
  }
  if (theirs.epoch === ours.epoch) {
    return new Fault(
      'fenced',
      'epoch-twin',
      `${place} was written by a second writer of epoch ${ours.epoch}`,
      { hint },
    );
  }
  const who = theirs.epoch === 0n ? 'a writer without epochs, such as Litestream' : `epoch ${theirs.epoch}`;
  return new Fault(
    'fenced',
    'foreign-writer',
    `${place} was written by ${who} while this writer was at work`,
    { hint },
  );
}
