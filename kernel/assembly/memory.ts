/**
 * Where everything stands in the kernel's memory. Nothing is allocated: callers put input at INPUT, call, and
 * take the output from OUTPUT and the small arrays before anybody calls again.
 *
 * Both big regions end in slack, because copies run up to 15 bytes past their end.
 */

export const BLOCK_BYTES_MAX: u32 = 4 << 20;
export const BATCH_BYTES_MAX: u32 = 256 << 10;
export const BATCH_PAGES_MAX: u32 = BATCH_BYTES_MAX / 512;

/** u32 words by which a function returns more than one value. */
export const RESULT: usize = 64;
/** For each distance 0 … 15 between pattern and copy: 16 byte indices that repeat the pattern. */
export const REPEAT_MASKS: usize = 1024;
/** Sixteen tables of 16 u64: each hex digit of a CRC state, carried over one unit of zero bytes. */
export const CARRY_TABLES: usize = 2048;
/** The compressor's latest address for each hash, u32. */
export const LATEST: usize = CARRY_TABLES + (2 << 10);
export const LATEST_BITS: u32 = 12;
export const PGNOS: usize = LATEST + (4 << LATEST_BITS);
export const SIZES: usize = PGNOS + 4 * BATCH_PAGES_MAX;
export const CHECKSUMS: usize = SIZES + 4 * BATCH_PAGES_MAX;
export const INPUT: usize = 64 << 10;
export const INPUT_BYTES_MAX: u32 = BLOCK_BYTES_MAX + BLOCK_BYTES_MAX / 255 + 16;
export const OUTPUT: usize = INPUT + INPUT_BYTES_MAX / 1024 * 1024 + 2048;

/** Sets one result word. */
// @ts-ignore: decorator
@inline
export function setResult(index: u32, value: u32): void {
  store<u32>(RESULT + (index << 2), value);
}
