/**
 * RestoreDamage: finds the damaged object behind a result that is wrong as a whole.
 *
 * A rolling checksum says that some page is wrong, not which file it came from. So every file of the plan is
 * read whole until one is not what its own checksum says.
 */

import { Fault, isFault } from '../base/fault.ts';
import type { LtxFile } from '../storage/archive-keys.ts';
import { ltxInspect } from './ltx-inspect.ts';
import { namingAsync } from './plan-file.ts';
import type { ReadPart } from './plan-file.ts';

export const LIMITS = { chunkBytes: 1_048_576 } as const;

/**
 * `error` itself, or for a Fault of kind corrupt that names no object, one that does. Where all files are
 * what they say, they contradict each other: then nothing names the one at fault.
 */
export async function damageOf(error: unknown, files: readonly LtxFile[], read: ReadPart): Promise<unknown> {
  if (!isFault(error, 'corrupt') || error.details['key'] !== undefined) return error;
  for (const file of files.toReversed()) {
    try {
      await namingAsync(file, () => ltxInspect(chunksOf(file, read)));
    } catch (damage) {
      return isFault(damage, 'corrupt') ? damage : error;
    }
  }
  return new Fault('corrupt', error.code, `${error.message}, though every file of the plan is whole`, {
    hint: 'two writers may have mixed their files; restore an earlier TXID, and keep the archive as evidence',
    cause: error,
    details: error.details,
  });
}

async function* chunksOf(file: LtxFile, read: ReadPart): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < file.size; offset += LIMITS.chunkBytes) {
    yield await read(file, { offset, length: Math.min(LIMITS.chunkBytes, file.size - offset) });
  }
}
