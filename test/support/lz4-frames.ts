/** LZ4 frames for tests: Millrace reads them, and never writes them. */

import { concat, view } from '../../src/base/bytes.ts';
import { lz4Compress } from '../../src/format/kernel.ts';
import { xxhash32 } from '../../src/format/xxhash32.ts';

const BLOCK_BYTES = 65_536;

export interface Lz4FrameOptions {
  readonly hasContentSize: boolean;
  readonly hasBlockChecks: boolean;
  /** Whether blocks are stored as they are. */
  readonly isStored: boolean;
}

/** A frame with independent blocks of 64 KiB and a content checksum. */
export function lz4FrameEncoded(content: Uint8Array, options: Lz4FrameOptions): Uint8Array {
  const { hasContentSize, hasBlockChecks, isStored } = options;
  const flags = 0x64 | (hasContentSize ? 8 : 0) | (hasBlockChecks ? 16 : 0);
  const size = new Uint8Array(hasContentSize ? 8 : 0);
  if (hasContentSize) view(size).setBigUint64(0, BigInt(content.length), true);
  const descriptor = concat([Uint8Array.of(flags, 0x40), size]);
  const parts = [word(0x184d2204), descriptor, Uint8Array.of((xxhash32(descriptor) >>> 8) & 0xff)];
  for (let at = 0; at < content.length; at += BLOCK_BYTES) {
    const raw = content.subarray(at, at + BLOCK_BYTES);
    const block = isStored ? raw : lz4Compress(raw);
    const mustStore = isStored || block.length > BLOCK_BYTES;
    const data = mustStore ? raw : block;
    parts.push(word(mustStore ? (data.length | 0x8000_0000) >>> 0 : data.length), data);
    if (hasBlockChecks) parts.push(word(xxhash32(data)));
  }
  return concat([...parts, word(0), word(xxhash32(content))]);
}

/** An LTX page frame of the older encoding. */
export function legacyPageFrame(pgno: number, page: Uint8Array): Uint8Array {
  const header = new Uint8Array(6);
  view(header).setUint32(0, pgno);
  return concat([
    header,
    lz4FrameEncoded(page, { hasContentSize: false, hasBlockChecks: false, isStored: false }),
  ]);
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  view(bytes).setUint32(0, value, true);
  return bytes;
}
