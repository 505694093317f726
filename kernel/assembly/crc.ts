/**
 * CRC-64/GO-ISO without tables.
 *
 * The polynomial is x^64 + x^4 + x^3 + x + 1, so x^64 is a factor q of four terms only, and each squaring
 * keeps it at four: x^512 = q^8 = x^32 + x^24 + x^8 + 1, four shifts by whole bytes. A block of 64 bytes
 * therefore folds into the block that follows it with three byte shuffles per 16 bytes, and only the last
 * block is reduced word by word.
 *
 * Everything here works on raw states, without the inversion at either end: a raw state is linear, so the
 * state after A‖B is carry(state after A, over B's length) ^ (state of B from zero). That is how one pass
 * over a page serves the page's checksum and the file's.
 *
 * Bits are reflected: bit 63 is the coefficient of x^0, the first byte of a message its highest degree, and a
 * multiplication by x a shift to the right.
 */

import { CARRY_TABLES } from './memory';

const POLYNOMIAL: u64 = 0xd800000000000000;
/** x^0 and x^8. */
const ONE: u64 = 1 << 63;
const BYTE: u64 = 1 << 55;
const BLOCK_BYTES: u32 = 64;

/** The unit that the carry tables are built for. */
let unitBytes: u32 = 0;

/** a·q, without what leaves the word. */
// @ts-ignore: decorator
@inline
function timesQ(a: u64): u64 {
  const b = a ^ (a >> 1);
  return b ^ (b >> 3);
}

/** The state after 8 bytes that were added to it. */
// @ts-ignore: decorator
@inline
function afterWord(sum: u64): u64 {
  // What leaves the word has the factor x^64 once more, hence q.
  return timesQ(sum) ^ timesQ((sum << 63) ^ (sum << 61) ^ (sum << 60));
}

/** The state after 1 to 7 bytes, which stand in the low bits of `bytes` with zeros above. */
// @ts-ignore: decorator
@inline
export function crcFew(state: u64, bytes: u64, count: u32): u64 {
  const bits: u64 = count << 3;
  return (state >> bits) ^ timesQ((state ^ bytes) << (64 - bits));
}

/** `block` shifted by some bytes towards the start, with bytes of `next` in place of what is missing. */
// @ts-ignore: decorator
@inline
function shift1(block: v128, next: v128): v128 {
  return v128.shuffle<u8>(block, next, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
}

// @ts-ignore: decorator
@inline
function shift3(block: v128, next: v128): v128 {
  return v128.shuffle<u8>(block, next, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18);
}

// @ts-ignore: decorator
@inline
function shift4(block: v128, next: v128): v128 {
  return v128.shuffle<u8>(block, next, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19);
}

/** 16 bytes of input, and the 16 that stand 64 bytes earlier times q^8; `next` follow those. */
// @ts-ignore: decorator
@inline
function fold(input: v128, block: v128, next: v128): v128 {
  const near = v128.xor(block, shift1(block, next));
  const far = v128.xor(shift3(block, next), shift4(block, next));
  return v128.xor(v128.xor(input, near), far);
}

/** The last 16 bytes of a block, and what its own first four add to them: 60 bytes is the least distance. */
// @ts-ignore: decorator
@inline
function foldOwn(last: v128, first: v128): v128 {
  return fold(last, i64x2.splat(0), first);
}

/** The state after `size` bytes. */
export function crcBytes(state: u64, at: usize, size: u32): u64 {
  const end = at + size;
  if (size >= 2 * BLOCK_BYTES) {
    let a = v128.xor(v128.load(at), i64x2(state, 0));
    let b = v128.load(at, 16);
    let c = v128.load(at, 32);
    let d = foldOwn(v128.load(at, 48), a);
    for (at += BLOCK_BYTES; at + BLOCK_BYTES <= end; at += BLOCK_BYTES) {
      a = fold(v128.load(at), a, b);
      b = fold(v128.load(at, 16), b, c);
      c = fold(v128.load(at, 32), c, d);
      d = fold(v128.load(at, 48), d, a);
    }
    // The last block stays, so its own first bytes have no part in its last ones: adding twice takes it back.
    d = foldOwn(d, a);
    state = afterPair(afterPair(afterPair(afterPair(0, a), b), c), d);
  }
  for (; at + 8 <= end; at += 8) state = afterWord(state ^ load<u64>(at));
  for (; at < end; at++) state = crcFew(state, load<u8>(at), 1);
  return state;
}

// @ts-ignore: decorator
@inline
function afterPair(state: u64, pair: v128): u64 {
  return afterWord(afterWord(state ^ v128.extract_lane<u64>(pair, 0)) ^ v128.extract_lane<u64>(pair, 1));
}

/** The product of two polynomials modulo the CRC's. */
function multiply(a: u64, b: u64): u64 {
  let product: u64 = 0;
  for (let bit: u64 = ONE; bit != 0; bit >>= 1) {
    if (a & bit) product ^= b;
    b = (b >> 1) ^ (POLYNOMIAL & (0 - (b & 1)));
  }
  return product;
}

/** x^(8·bytes): what carries a state over that many zero bytes. */
function powerOfBytes(bytes: u64): u64 {
  let result = ONE;
  let square = BYTE;
  for (let left = bytes; left != 0; left >>= 1) {
    if (left & 1) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

/** CRC of A‖B from both CRCs and B's length. */
export function crcCombine(a: u64, b: u64, bytesOfB: u64): u64 {
  return multiply(a, powerOfBytes(bytesOfB)) ^ b;
}

/** Builds the carry tables for units of this many bytes. */
export function setUnit(bytes: u32): void {
  if (bytes == unitBytes) return;
  unitBytes = bytes;
  const power = powerOfBytes(bytes);
  for (let digit: u32 = 0; digit < 16; digit++) {
    const table = CARRY_TABLES + (digit << 7);
    for (let value: u32 = 0; value < 16; value++) {
      store<u64>(table + (value << 3), multiply((<u64>value) << (digit << 2), power));
    }
  }
}

/** The state carried over one unit of zero bytes, hex digit by hex digit. */
export function carryUnit(state: u64): u64 {
  let carried: u64 = 0;
  for (let table = CARRY_TABLES; table < CARRY_TABLES + (16 << 7); table += 1 << 7) {
    carried ^= load<u64>(table + ((<usize>state & 15) << 3));
    state >>= 4;
  }
  return carried;
}
