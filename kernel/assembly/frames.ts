/**
 * LTX page frames: pgno u32, flags u16 = 1, size u32, LZ4 block; big-endian. The file's CRC runs over header
 * and size as stored and over the page as it was before compression.
 */

import { carryUnit, crcBytes, crcFew, setUnit } from './crc';
import { lz4Forget, lz4Pack, lz4Unpack } from './lz4';
import { CHECKSUMS, INPUT, OUTPUT, PGNOS, setResult, SIZES } from './memory';

const HEADER_BYTES: u32 = 10;
const END_BYTES: u32 = 6;
/** Flags 1 as the u16 that a little-endian load sees. */
const FLAGS: u32 = 0x0100;
const PGNO_MAX: u32 = 0xfffffffe;
const TOP: u64 = 1 << 63;

/** What made decoding stop. */
export const STOP_INPUT: u32 = 0;
export const STOP_FULL: u32 = 1;
export const STOP_ENDED: u32 = 2;
export const STOP_HEADER: u32 = 3;
export const STOP_SIZE: u32 = 4;
export const STOP_BLOCK: u32 = 5;

/** A page's checksum, from its number and its raw CRC. */
// @ts-ignore: decorator
@inline
function pageChecksum(pgno: u32, page: u64): u64 {
  return ~(carryUnit(crcFew(~(<u64>0), bswap<u32>(pgno), 4)) ^ page) | TOP;
}

/** Checksums of `count` pages at INPUT with numbers at PGNOS, to CHECKSUMS. */
export function checksumPages(count: u32, pageSize: u32): void {
  setUnit(pageSize);
  let page = INPUT;
  for (let index: u32 = 0; index < count; index++) {
    const pgno = load<u32>(PGNOS + (index << 2));
    store<u64>(CHECKSUMS + (index << 3), pageChecksum(pgno, crcBytes(0, page, pageSize)));
    page += pageSize;
  }
}

/**
 * Encodes `count` pages at INPUT with numbers at PGNOS; sizes to SIZES, checksums to CHECKSUMS; returns the
 * raw CRC. Result word: bytes at OUTPUT.
 */
export function encodeFrames(count: u32, pageSize: u32, state: u64): u64 {
  setUnit(pageSize);
  lz4Forget();
  let page = INPUT;
  let to = OUTPUT;
  for (let index: u32 = 0; index < count; index++) {
    const pgno = load<u32>(PGNOS + (index << 2));
    const crc = crcBytes(0, page, pageSize);
    const end = lz4Pack(page, pageSize, to + HEADER_BYTES);
    const size = <u32>(end - to);
    store<u32>(to, bswap<u32>(pgno));
    store<u16>(to, FLAGS, 4);
    store<u32>(to, bswap<u32>(size - HEADER_BYTES), 6);
    state = carryUnit(crcBytes(state, to, HEADER_BYTES)) ^ crc;
    store<u32>(SIZES + (index << 2), size);
    store<u64>(CHECKSUMS + (index << 3), pageChecksum(pgno, crc));
    page += pageSize;
    to = end;
  }
  setResult(0, <u32>(to - OUTPUT));
  return state;
}

/**
 * Decodes frames at INPUT to pages at OUTPUT, numbers to PGNOS, checksums to CHECKSUMS; returns the raw CRC.
 * Result words: bytes consumed, pages decoded, why it stopped.
 */
export function decodeFrames(bytes: u32, pageSize: u32, pagesMax: u32, state: u64): u64 {
  setUnit(pageSize);
  const blockMax = pageSize + pageSize / 255 + 16;
  const end = INPUT + bytes;
  let at = INPUT;
  let page = OUTPUT;
  let count: u32 = 0;
  let stop = STOP_INPUT;
  while (<u32>(end - at) >= END_BYTES) {
    const pgno = bswap<u32>(load<u32>(at));
    const flags: u32 = load<u16>(at, 4);
    if (pgno == 0 || pgno > PGNO_MAX || flags != FLAGS) {
      stop = pgno == 0 && flags == 0 ? STOP_ENDED : STOP_HEADER;
      break;
    }
    if (count == pagesMax) {
      stop = STOP_FULL;
      break;
    }
    if (<u32>(end - at) < HEADER_BYTES) break;
    const size = bswap<u32>(load<u32>(at, 6));
    if (size == 0 || size > blockMax) {
      stop = STOP_SIZE;
      break;
    }
    if (size > <u32>(end - at) - HEADER_BYTES) break;
    if (!lz4Unpack(at + HEADER_BYTES, size, page, pageSize)) {
      stop = STOP_BLOCK;
      break;
    }
    const crc = crcBytes(0, page, pageSize);
    state = carryUnit(crcBytes(state, at, HEADER_BYTES)) ^ crc;
    store<u32>(PGNOS + (count << 2), pgno);
    store<u64>(CHECKSUMS + (count << 3), pageChecksum(pgno, crc));
    at += HEADER_BYTES + size;
    page += pageSize;
    count++;
  }
  setResult(0, <u32>(at - INPUT));
  setResult(1, count);
  setResult(2, stop);
  return state;
}
