/**
 * The kernel's twin: every function of `src/format/kernel.ts` in plain TypeScript, for clarity and not for
 * speed.
 *
 * Tests hold the two against each other, to the byte. The compressor, too: its match search is a definition,
 * and both sides follow it step by step. Nothing but tests and benchmarks imports this file.
 */

import { concat, view } from '../src/base/bytes.ts';
import { Fault } from '../src/base/fault.ts';
import type { Checksum } from '../src/base/ids.ts';
import type { DecodedPages, EncodedPages, WalChain, WalSeed, WalVerified } from '../src/format/kernel.ts';

const POLYNOMIAL = 0xd800_0000_0000_0000n;
const ONES = (1n << 64n) - 1n;
const TOP = 1n << 63n;

const FRAME = { pgno: 0, flags: 4, size: 6, block: 10 } as const;
const WAL_FRAME = { salt1: 8, salt2: 12, s0: 16, s1: 20, page: 24 } as const;
const LZ4 = {
  hashBits: 12,
  skipTrigger: 6,
  matchMin: 4,
  distanceMax: 65_535,
  startGap: 12,
  endGap: 5,
} as const;

const crcOfByte = Array.from({ length: 256 }, (_, byte) => {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ POLYNOMIAL : crc >> 1n;
  return crc;
});

/** SQLite's WAL checksum, word pair by word pair. */
export function walChecksum(bytes: Uint8Array, bigEndian: boolean, seed: WalSeed): WalSeed {
  const words = view(bytes);
  let { s0, s1 } = seed;
  for (let at = 0; at < bytes.length; at += 8) {
    s0 = (s0 + words.getUint32(at, !bigEndian) + s1) >>> 0;
    s1 = (s1 + words.getUint32(at + 4, !bigEndian) + s0) >>> 0;
  }
  return { s0, s1 };
}

/** The leading frames that carry the salts and continue the checksum. */
export function walVerify(frames: Uint8Array, chain: WalChain): WalVerified {
  const size = WAL_FRAME.page + chain.pageSize;
  let checksum = chain.seed;
  let count = 0;
  for (; (count + 1) * size <= frames.length; count++) {
    const frame = frames.subarray(count * size, (count + 1) * size);
    const fields = view(frame);
    if (
      fields.getUint32(WAL_FRAME.salt1) !== chain.salt1 ||
      fields.getUint32(WAL_FRAME.salt2) !== chain.salt2
    )
      break;
    const afterHeader = walChecksum(frame.subarray(0, 8), chain.bigEndian, checksum);
    const after = walChecksum(frame.subarray(WAL_FRAME.page), chain.bigEndian, afterHeader);
    if (fields.getUint32(WAL_FRAME.s0) !== after.s0 || fields.getUint32(WAL_FRAME.s1) !== after.s1) break;
    checksum = after;
  }
  return { frames: count, checksum };
}

/** CRC-64/GO-ISO, byte by byte. */
export function crc64(bytes: Uint8Array, before: Checksum = 0n as Checksum): Checksum {
  let state = before ^ ONES;
  for (const byte of bytes) state = crcOfByte[Number(state & 0xffn) ^ byte]! ^ (state >> 8n);
  return (state ^ ONES) as Checksum;
}

/** CRC of A‖B: A's CRC, carried over as many zero bytes as B has, and B's. */
export function crc64Combine(a: Checksum, b: Checksum, bytesOfB: number): Checksum {
  // Carrying over zeros multiplies by x^(8·bytes) modulo the polynomial; bit 63 is the coefficient of x^0.
  let power = 1n << 55n;
  let carried: bigint = a;
  for (let left = BigInt(bytesOfB); left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) carried = multiply(carried, power);
    power = multiply(power, power);
  }
  return (carried ^ b) as Checksum;
}

function multiply(a: bigint, b: bigint): bigint {
  let product = 0n;
  for (let bit = 63n; bit >= 0n; bit--) {
    if (((a >> bit) & 1n) === 1n) product ^= b;
    b = (b & 1n) === 1n ? (b >> 1n) ^ POLYNOMIAL : b >> 1n;
  }
  return product;
}

/** The checksum of each page: CRC of its number and content, with bit 63 set. */
export function pageChecksums(pgnos: Uint32Array, pages: Uint8Array, pageSize: number): BigUint64Array {
  const checksumOf = (pgno: number, index: number): bigint => {
    const number = new Uint8Array(4);
    view(number).setUint32(0, pgno);
    return crc64(pages.subarray(index * pageSize, (index + 1) * pageSize), crc64(number)) | TOP;
  };
  return BigUint64Array.from([...pgnos].map(checksumOf));
}

/** One LZ4 block: the greedy search that the kernel makes, with literals only where nothing repeats. */
export function lz4Compress(src: Uint8Array): Uint8Array {
  const words = view(src);
  const latest = new Int32Array(1 << LZ4.hashBits).fill(-1);
  const slot = (at: number): number =>
    Math.imul(words.getUint32(at, true), 0x9e37_79b1) >>> (32 - LZ4.hashBits);
  const out: number[] = [];
  let anchor = 0;
  let at = 0;
  let tries = 1 << LZ4.skipTrigger;
  while (at <= src.length - LZ4.startGap) {
    const key = slot(at);
    let from = latest[key]!;
    latest[key] = at;
    if (from < 0 || at - from > LZ4.distanceMax || words.getUint32(from) !== words.getUint32(at)) {
      at += tries++ >> LZ4.skipTrigger;
      continue;
    }
    let end = at + LZ4.matchMin;
    while (end < src.length - LZ4.endGap && src[end] === src[from + end - at]) end++;
    while (at > anchor && from > 0 && src[at - 1] === src[from - 1]) {
      at--;
      from--;
    }
    putSequence(out, src.subarray(anchor, at), { distance: at - from, length: end - at });
    anchor = at = end;
    tries = 1 << LZ4.skipTrigger;
    if (at <= src.length - LZ4.startGap) latest[slot(at - 2)] = at - 2;
  }
  putSequence(out, src.subarray(anchor), null);
  return Uint8Array.from(out);
}

function putSequence(
  out: number[],
  literals: Uint8Array,
  match: { distance: number; length: number } | null,
): void {
  const matchCode = match === null ? 0 : match.length - LZ4.matchMin;
  out.push((Math.min(literals.length, 15) << 4) | Math.min(matchCode, 15));
  putLength(out, literals.length);
  for (const literal of literals) out.push(literal);
  if (match === null) return;
  out.push(match.distance & 0xff, match.distance >> 8);
  putLength(out, matchCode);
}

function putLength(out: number[], length: number): void {
  if (length < 15) return;
  let left = length - 15;
  for (; left >= 255; left -= 255) out.push(255);
  out.push(left);
}

/** Decodes one LZ4 block of exactly `size` bytes. */
export function lz4Decompress(src: Uint8Array, size: number): Uint8Array {
  const malformed = (why: string): Fault =>
    new Fault('corrupt', 'lz4-malformed', `LZ4 block is malformed: ${why}`);
  const out = new Uint8Array(size);
  let at = 0;
  let to = 0;
  const byte = (): number => {
    const value = src[at++];
    if (value === undefined) throw malformed('it ends early');
    return value;
  };
  const length = (code: number): number => {
    if (code < 15) return code;
    let total = code;
    for (let more = 255; more === 255; total += more) more = byte();
    return total;
  };
  for (;;) {
    const token = byte();
    const literals = length(token >> 4);
    if (literals > src.length - at || literals > size - to) throw malformed('literals run over its end');
    out.set(src.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    if (at === src.length) break;
    const distance = byte() | (byte() << 8);
    if (distance === 0 || distance > to) throw malformed('a match starts before the output');
    const end = to + length(token & 15) + LZ4.matchMin;
    if (end > size) throw malformed('a match runs over its end');
    for (; to < end; to++) out[to] = out[to - distance]!;
  }
  if (to !== size) throw malformed(`${to} bytes, not ${size}`);
  return out;
}

/** LTX page frames, their checksums, and the file's running CRC. */
export function encodePages(
  pgnos: Uint32Array,
  pages: Uint8Array,
  pageSize: number,
  before: Checksum,
): EncodedPages {
  let crc = before;
  const frames = [...pgnos].map((pgno, index) => {
    const page = pages.subarray(index * pageSize, (index + 1) * pageSize);
    const block = lz4Compress(page);
    const header = new Uint8Array(FRAME.block);
    view(header).setUint32(FRAME.pgno, pgno);
    view(header).setUint16(FRAME.flags, 1);
    view(header).setUint32(FRAME.size, block.length);
    crc = crc64(page, crc64(header, crc));
    return concat([header, block]);
  });
  const sizes = Uint32Array.from(frames.map((frame) => frame.length));
  return { bytes: concat(frames), sizes, checksums: pageChecksums(pgnos, pages, pageSize), crc };
}

/** Decodes the page frames that stand whole in `bytes`. */
export function decodePages(bytes: Uint8Array, pageSize: number, before: Checksum): DecodedPages {
  const fields = view(bytes);
  const blockMax = pageSize + Math.floor(pageSize / 255) + 16;
  const malformed = (at: number, why: string): Fault =>
    new Fault('corrupt', 'ltx-frame', `LTX page frame at byte ${at} ${why}`);
  const pgnos: number[] = [];
  const pages: Uint8Array[] = [];
  let crc = before;
  let at = 0;
  let ended = false;
  while (bytes.length - at >= FRAME.size) {
    const pgno = fields.getUint32(at + FRAME.pgno);
    const flags = fields.getUint16(at + FRAME.flags);
    ended = pgno === 0 && flags === 0;
    if (ended) break;
    if (pgno === 0 || pgno === 0xffff_ffff || flags !== 1) throw malformed(at, 'has an illegal header');
    if (bytes.length - at < FRAME.block) break;
    const size = fields.getUint32(at + FRAME.size);
    if (size === 0 || size > blockMax) throw malformed(at, 'has an illegal size');
    const end = at + FRAME.block + size;
    if (end > bytes.length) break;
    const page = lz4Decompress(bytes.subarray(at + FRAME.block, end), pageSize);
    crc = crc64(page, crc64(bytes.subarray(at, at + FRAME.block), crc));
    pgnos.push(pgno);
    pages.push(page);
    at = end;
  }
  const numbers = Uint32Array.from(pgnos);
  const whole = concat(pages);
  const checksums = pageChecksums(numbers, whole, pageSize);
  return { consumed: at, pgnos: numbers, pages: whole, checksums, crc, ended };
}
