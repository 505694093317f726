/**
 * SQLite's WAL checksum and the chain of frames. A running checksum travels as one u64: s0 in its low half,
 * s1 in its high half.
 */

import { setResult } from './memory';

const HEADER_BYTES: usize = 24;

// @ts-ignore: decorator
@inline
function swapWords(pair: u64): u64 {
  const bytes = ((pair & 0x00ff00ff00ff00ff) << 8) | ((pair >> 8) & 0x00ff00ff00ff00ff);
  return ((bytes & 0x0000ffff0000ffff) << 16) | ((bytes >> 16) & 0x0000ffff0000ffff);
}

/** The checksum after `size` bytes, a multiple of 8. */
export function walSum(running: u64, at: usize, size: u32, bigEndian: bool): u64 {
  const end = at + size;
  let s0 = <u32>running;
  let s1 = <u32>(running >> 32);
  if (bigEndian) {
    for (; at < end; at += 8) {
      const pair = swapWords(load<u64>(at));
      s0 += <u32>pair + s1;
      s1 += <u32>(pair >> 32) + s0;
    }
  } else {
    for (; at < end; at += 8) {
      s0 += load<u32>(at) + s1;
      s1 += load<u32>(at, 4) + s0;
    }
  }
  return (<u64>s1 << 32) | s0;
}

/**
 * How many of `count` frames carry the salts (in file order, as one u64) and continue the checksum.
 * Result words: s0 and s1 after the last of them.
 */
export function walFrames(
  at: usize,
  count: u32,
  pageSize: u32,
  bigEndian: bool,
  salts: u64,
  running: u64,
): u32 {
  let frames: u32 = 0;
  for (; frames < count; frames++) {
    if (load<u64>(at, 8) != salts) break;
    const afterHeader = walSum(running, at, 8, bigEndian);
    const after = walSum(afterHeader, at + HEADER_BYTES, pageSize, bigEndian);
    if (swapWords(load<u64>(at, 16)) != after) break;
    running = after;
    at += HEADER_BYTES + pageSize;
  }
  setResult(0, <u32>running);
  setResult(1, <u32>(running >> 32));
  return frames;
}
