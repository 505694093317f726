/** What anybody who opened a database at this moment would see of it. */

import { must } from '../../src/base/assert.ts';
import { WAL_FRAME_HEADER_BYTES, frameOffset } from '../../src/format/wal.ts';
import type { SimDisk } from './disk.ts';
import { ShmFile } from './shm.ts';

/** All pages as any reader would see them at this moment; the header must be whole. */
export function visiblePages(disk: SimDisk, path: string, pageSize: number): Uint8Array[] {
  const main = must(disk.lookup(path), `no database at ${path}`);
  const wal = must(disk.lookup(`${path}-wal`), `no log of ${path}`);
  const shm = ShmFile.at(disk, `${path}-shm`, must(disk.lookup(`${path}-shm`), `no index of ${path}`));
  const header = must(shm.header(), 'the index is whole');
  const size = header.nPage !== 0 ? header.nPage : Math.floor(main.size / pageSize);
  const frames = new Map<number, number>();
  for (let frame = 1; frame <= header.mxFrame; frame++) frames.set(shm.framePgnos[frame - 1]!, frame);
  return Array.from({ length: size }, (_, i) => {
    const page = new Uint8Array(pageSize);
    const frame = frames.get(i + 1);
    if (frame === undefined) main.read(page, i * pageSize);
    else wal.read(page, frameOffset(frame - 1, pageSize) + WAL_FRAME_HEADER_BYTES);
    return page;
  });
}
