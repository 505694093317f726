/**
 * LZ4 blocks.
 *
 * The compressor is greedy: one candidate for each hash of four bytes, steps that grow while nothing matches.
 * It keeps the format's end rules (no match starts in the last 12 bytes, the last 5 are literals). The
 * decompressor checks every length and distance before it copies; copies then run in 16-byte steps past their
 * end, into bytes that are written later or into slack.
 */

import { LATEST, LATEST_BITS, REPEAT_MASKS } from './memory';

const SKIP_TRIGGER: u32 = 6;
const DISTANCE_MAX: usize = 65535;

/**
 * Forgets all candidates. Those below a block's start are ignored, so once before blocks at rising addresses
 * is enough.
 */
export function lz4Forget(): void {
  memory.fill(LATEST, 0, 4 << LATEST_BITS);
}

/** Fills the repeat masks. */
export function lz4Init(): void {
  for (let distance: u32 = 1; distance < 16; distance++) {
    const mask = REPEAT_MASKS + (distance << 4);
    for (let lane: u32 = 0; lane < 16; lane++) store<u8>(mask + lane, lane % distance);
  }
}

// @ts-ignore: decorator
@inline
function slotOf(word: u32): usize {
  return LATEST + ((word * 0x9e3779b1) >> (32 - LATEST_BITS) << 2);
}

/** Copies 16 bytes at a time, up to 15 more than asked for. */
// @ts-ignore: decorator
@inline
function copyLong(to: usize, from: usize, end: usize): void {
  do {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  } while (to < end);
}

/** Compresses `size` bytes; returns the end of the block. */
export function lz4Pack(src: usize, size: u32, to: usize): usize {
  const end = src + size;
  let anchor = src;
  if (size > 12) {
    const startMax = end - 12;
    const matchMax = end - 5;
    let at = src;
    let low = src;
    let tries: u32 = 1 << SKIP_TRIGGER;
    while (at <= startMax) {
      if (at - low > DISTANCE_MAX) low = at - DISTANCE_MAX;
      const word = load<u32>(at);
      const slot = slotOf(word);
      let from: usize = load<u32>(slot);
      store<u32>(slot, at);
      // One branch for both questions: the first alone is hard to predict.
      if (!(u32(from >= low) & u32(load<u32>(from) == word))) {
        at += tries++ >> SKIP_TRIGGER;
        continue;
      }
      const matched = matchEnd(at + 4, from + 4, matchMax);
      while (at > anchor && from > src && load<u8>(at - 1) == load<u8>(from - 1)) {
        at--;
        from--;
      }
      to = putSequence(to, anchor, at, <u32>(at - from), <u32>(matched - at) - 4);
      anchor = at = matched;
      tries = 1 << SKIP_TRIGGER;
      if (at <= startMax) store<u32>(slotOf(load<u32>(at - 2)), at - 2);
    }
  }
  const literals = <u32>(end - anchor);
  store<u8>(to, min<u32>(literals, 15) << 4);
  to = putLength(to + 1, literals);
  if (literals > 0) copyLong(to, anchor, to + literals);
  return to + literals;
}

/** The end of what is equal at `at` and `from`. */
// @ts-ignore: decorator
@inline
function matchEnd(at: usize, from: usize, atMax: usize): usize {
  while (at + 8 <= atMax) {
    const difference = load<u64>(at) ^ load<u64>(from);
    if (difference != 0) return at + (<usize>ctz<u64>(difference) >> 3);
    at += 8;
    from += 8;
  }
  while (at < atMax && load<u8>(at) == load<u8>(from)) {
    at++;
    from++;
  }
  return at;
}

/** Literals `anchor` … `at`, and a match of `code` + 4 bytes. */
// @ts-ignore: decorator
@inline
function putSequence(to: usize, anchor: usize, at: usize, distance: u32, code: u32): usize {
  const literals = <u32>(at - anchor);
  store<u8>(to, (min<u32>(literals, 15) << 4) | min<u32>(code, 15));
  to = putLength(to + 1, literals);
  copyLong(to, anchor, to + literals);
  to += literals;
  store<u16>(to, distance);
  return putLength(to + 2, code);
}

// @ts-ignore: decorator
@inline
function putLength(to: usize, length: u32): usize {
  if (length < 15) return to;
  let left = length - 15;
  while (left >= 255) {
    store<u8>(to++, 255);
    left -= 255;
  }
  store<u8>(to, left);
  return to + 1;
}

/** Where a length that follows in more bytes ends, or 0 if the block does. `unpacked` has its sum. */
let unpacked: u32 = 0;
function takeLength(at: usize, end: usize): usize {
  unpacked = 15;
  while (at < end) {
    const more: u32 = load<u8>(at++);
    unpacked += more;
    if (more != 255) return at;
  }
  return 0;
}

/** Decompresses a block of `size` bytes, which must give exactly `outSize`. False: it is malformed. */
export function lz4Unpack(at: usize, size: u32, to: usize, outSize: u32): bool {
  const end = at + size;
  const outStart = to;
  const outEnd = to + outSize;
  while (at < end) {
    const token: u32 = load<u8>(at++);
    let literals = token >> 4;
    if (literals == 15) {
      at = takeLength(at, end);
      if (at == 0) return false;
      literals = unpacked;
    }
    if (literals > <u32>(end - at) || literals > <u32>(outEnd - to)) return false;
    copyLong(to, at, to + literals);
    at += literals;
    to += literals;
    if (at == end) return to == outEnd;

    if (end - at < 2) return false;
    const distance: usize = load<u16>(at);
    at += 2;
    if (distance == 0 || distance > to - outStart) return false;
    let length = (token & 15) + 4;
    if (length == 19) {
      at = takeLength(at, end);
      if (at == 0) return false;
      length = unpacked + 4;
    }
    if (length > <u32>(outEnd - to)) return false;
    const stop = to + length;
    if (distance >= 16) copyLong(to, to - distance, stop);
    else repeat(to, distance, stop);
    to = stop;
  }
  return false;
}

/** Repeats the `distance` < 16 bytes before `to`. */
// @ts-ignore: decorator
@inline
function repeat(to: usize, distance: usize, stop: usize): void {
  const pattern = v128.swizzle(v128.load(to - distance), v128.load(REPEAT_MASKS + (distance << 4)));
  const stride = 16 - (16 % <u32>distance);
  do {
    v128.store(to, pattern);
    to += stride;
  } while (to < stop);
}
