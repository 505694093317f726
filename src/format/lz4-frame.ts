/**
 * LZ4 frames, as older programs of Litestream's family wrote them. Reading only.
 *
 *     | magic 4 | FLG, BD | content size 8? | header check 1 | blocks | end mark 4 | content check 4 |
 *     | block: size 4 | data | check 4? |
 *
 * Contract: blocks are independent and the content has its checksum, as those programs wrote it; every
 * checksum that is there is verified. Anything else is Fault `lz4-frame`.
 *
 * Source: github.com/lz4/lz4, doc/lz4_Frame_format.md 1.6.
 */

import { concat, view } from '../base/bytes.ts';
import { Fault } from '../base/fault.ts';
import { lz4Decompress } from './kernel.ts';
import { xxhash32 } from './xxhash32.ts';

const MAGIC = 0x184d_2204;
const STORED = 0x8000_0000;
const FLAG = {
  dictionary: 1,
  reserved: 2,
  contentCheck: 4,
  contentSize: 8,
  blockCheck: 16,
  independent: 32,
} as const;
const VERSION_1 = 1;
const BLOCK_BYTES_MAX: Readonly<Record<number, number>> = { 4: 2 ** 16, 5: 2 ** 18, 6: 2 ** 20, 7: 2 ** 22 };

interface Descriptor {
  /** Of the first block, from the frame's beginning. */
  readonly end: number;
  readonly blockBytesMax: number;
  readonly hasBlockChecks: boolean;
  readonly contentBytes: bigint | null;
}

interface Block {
  /** The block's data, without its size and check. `null`: this is the end mark. */
  readonly data: Uint8Array | null;
  readonly isStored: boolean;
  readonly end: number;
}

/** The size of the frame at the start of `bytes`. `null`: it goes on beyond them. */
export function lz4FrameMeasure(bytes: Uint8Array): number | null {
  const descriptor = descriptorDecode(bytes);
  if (descriptor === null) return null;
  for (let at = descriptor.end; ;) {
    const block = blockDecode(bytes, at, descriptor);
    if (block === null) return null;
    at = block.end;
    if (block.data === null) return at <= bytes.length ? at : null;
  }
}

/** The content of exactly one frame, of at most `sizeMax` bytes. */
export function lz4FrameDecode(frame: Uint8Array, sizeMax: number): Uint8Array {
  const descriptor = descriptorDecode(frame);
  if (descriptor === null || lz4FrameMeasure(frame) !== frame.length) {
    throw malformed(`it does not end after ${frame.length} bytes`);
  }
  const content = concat(blocksDecode(frame, descriptor, sizeMax));
  const expected = descriptor.contentBytes;
  if (expected !== null && expected !== BigInt(content.length)) {
    throw malformed(`it holds ${content.length}, not ${expected} bytes`);
  }
  if (view(frame).getUint32(frame.length - 4, true) !== xxhash32(content))
    throw malformed('its checksum differs');
  return content;
}

function blocksDecode(frame: Uint8Array, descriptor: Descriptor, sizeMax: number): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  let room = sizeMax;
  for (let at = descriptor.end; ;) {
    const block = blockDecode(frame, at, descriptor);
    if (block === null || block.data === null) return parts;
    const size = block.isStored ? block.data.length : contentBytesOf(block.data);
    const sizeMost = Math.min(descriptor.blockBytesMax, room);
    if (size > sizeMost) throw malformed(`a block holds ${size} bytes where there is room for ${sizeMost}`);
    parts.push(block.isStored ? block.data : lz4Decompress(block.data, size));
    room -= size;
    at = block.end;
  }
}

function descriptorDecode(bytes: Uint8Array): Descriptor | null {
  if (bytes.length < 7) return null;
  const at = view(bytes);
  const magic = at.getUint32(0, true);
  if (magic !== MAGIC) throw malformed(`it begins with 0x${magic.toString(16)}`);
  const flags = at.getUint8(4);
  const blockBytesMax = BLOCK_BYTES_MAX[at.getUint8(5) >> 4];
  if (flags >> 6 !== VERSION_1) throw malformed(`it has version ${flags >> 6}`);
  if ((flags & (FLAG.dictionary | FLAG.reserved)) !== 0 || (at.getUint8(5) & 0x8f) !== 0 || !blockBytesMax) {
    throw malformed(`its descriptor is ${flags}, ${at.getUint8(5)}`);
  }
  if ((flags & FLAG.independent) === 0) throw malformed('its blocks depend on each other');
  if ((flags & FLAG.contentCheck) === 0) throw malformed('it has no content checksum');
  const hasContentSize = (flags & FLAG.contentSize) !== 0;
  const end = hasContentSize ? 15 : 7;
  if (bytes.length < end) return null;
  const check = (xxhash32(bytes.subarray(4, end - 1)) >>> 8) & 0xff;
  if (at.getUint8(end - 1) !== check) throw malformed('the checksum of its descriptor differs');
  return {
    end,
    blockBytesMax,
    hasBlockChecks: (flags & FLAG.blockCheck) !== 0,
    contentBytes: hasContentSize ? at.getBigUint64(6, true) : null,
  };
}

function blockDecode(bytes: Uint8Array, start: number, descriptor: Descriptor): Block | null {
  if (bytes.length < start + 4) return null;
  const word = view(bytes).getUint32(start, true);
  if (word === 0) return { data: null, isStored: false, end: start + 8 };
  const isStored = word >= STORED;
  const size = isStored ? word - STORED : word;
  if (size === 0 || size > descriptor.blockBytesMax) throw malformed(`a block has ${size} bytes`);
  const dataEnd = start + 4 + size;
  const end = descriptor.hasBlockChecks ? dataEnd + 4 : dataEnd;
  if (bytes.length < end) return null;
  const data = bytes.subarray(start + 4, dataEnd);
  if (descriptor.hasBlockChecks && view(bytes).getUint32(dataEnd, true) !== xxhash32(data)) {
    throw malformed('the checksum of a block differs');
  }
  return { data, isStored, end };
}

/**
 * How many bytes an LZ4 block says it holds: the sum of its literals and matches. Its content is not looked
 * at.
 */
function contentBytesOf(block: Uint8Array): number {
  let at = 0;
  let size = 0;
  const length = (nibble: number): number => {
    let total = nibble;
    for (let byte = nibble === 15 ? 255 : 0; byte === 255; total += byte) byte = block[at++] ?? 0;
    return total;
  };
  while (at < block.length) {
    const token = block[at++] ?? 0;
    const literals = length(token >> 4);
    at += literals;
    size += literals;
    if (at >= block.length) break;
    at += 2;
    size += length(token & 15) + 4;
  }
  return size;
}

function malformed(why: string): Fault {
  return new Fault('corrupt', 'lz4-frame', `an LZ4 frame is malformed: ${why}`);
}
