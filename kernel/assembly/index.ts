/**
 * The kernel's exports. CRCs enter and leave finished (inverted at both ends); everything inside works on raw
 * states.
 */

import { crcBytes, crcCombine } from './crc';
import { decodeFrames, encodeFrames } from './frames';
import { lz4Forget, lz4Init, lz4Pack, lz4Unpack } from './lz4';
import { INPUT, OUTPUT } from './memory';
import { walFrames, walSum } from './wal';

export {
  BATCH_BYTES_MAX,
  BATCH_PAGES_MAX,
  CHECKSUMS,
  INPUT,
  INPUT_BYTES_MAX,
  OUTPUT,
  PGNOS,
  RESULT,
  SIZES,
} from './memory';
export { checksumPages } from './frames';
export { STOP_BLOCK, STOP_ENDED, STOP_FULL, STOP_HEADER, STOP_INPUT, STOP_SIZE } from './frames';
export { crcCombine };

/** Builds the tables; once, before everything else. */
export function init(): void {
  lz4Init();
}

/** CRC of `size` bytes at INPUT after `before`. */
export function crc(size: u32, before: u64): u64 {
  return ~crcBytes(~before, INPUT, size);
}

/** WAL checksum of `size` bytes at INPUT. */
export function wal(size: u32, bigEndian: bool, running: u64): u64 {
  return walSum(running, INPUT, size, bigEndian);
}

/** See `walFrames`; the frames stand at INPUT. */
export function walChain(count: u32, pageSize: u32, bigEndian: bool, salts: u64, running: u64): u32 {
  return walFrames(INPUT, count, pageSize, bigEndian, salts, running);
}

/** Compresses `size` bytes at INPUT; returns the bytes at OUTPUT. */
export function pack(size: u32): u32 {
  lz4Forget();
  return <u32>(lz4Pack(INPUT, size, OUTPUT) - OUTPUT);
}

/** Decompresses `size` bytes at INPUT to exactly `outSize` at OUTPUT. */
export function unpack(size: u32, outSize: u32): bool {
  return lz4Unpack(INPUT, size, OUTPUT, outSize);
}

/** See `encodeFrames`. */
export function encode(count: u32, pageSize: u32, before: u64): u64 {
  return ~encodeFrames(count, pageSize, ~before);
}

/** See `decodeFrames`. */
export function decode(bytes: u32, pageSize: u32, pagesMax: u32, before: u64): u64 {
  return ~decodeFrames(bytes, pageSize, pagesMax, ~before);
}
