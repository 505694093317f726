/**
 * The kernel: the loops that see every byte (WAL checksum, CRC-64, LZ4, LTX page frames), compiled from
 * `kernel/assembly` to WebAssembly and called through typed functions.
 *
 * The contract: all calls are synchronous, take inputs of any size (batches are made inside), and return
 * copies, never views of the kernel's memory. Malformed bytes give Fault `corrupt` and nothing else.
 * `kernel/twin.ts` is the same in plain TypeScript, equal to the byte.
 *
 * The trap: one instance serves the whole thread, and its memory holds one call's data. Nothing here may call
 * another exported function between placing its input and taking its output.
 */

import { assert } from '../base/assert.ts';
import { concat, view } from '../base/bytes.ts';
import { Fault } from '../base/fault.ts';
import type { Checksum } from '../base/ids.ts';
import { kernelInstance } from './kernel-instance.ts';

/** `lz4BlockBytesMax`: the largest block that an LZ4 frame can carry. `pageSizeMax`: SQLite's. */
export const LIMITS = { lz4BlockBytesMax: 4_194_304, pageSizeMin: 512, pageSizeMax: 65_536 } as const;

/** The two running words of SQLite's WAL checksum, u32 each. */
export interface WalSeed {
  readonly s0: number;
  readonly s1: number;
}

/** What the next frame of a WAL must continue: page size, word order, salts, and the checksum so far. */
export interface WalChain {
  readonly pageSize: number;
  readonly bigEndian: boolean;
  readonly salt1: number;
  readonly salt2: number;
  readonly seed: WalSeed;
}

/** How many leading frames hold, and the checksum after the last of them (the seed if none). */
export interface WalVerified {
  readonly frames: number;
  readonly checksum: WalSeed;
}

/** Page frames of an LTX. `sizes` are of whole frames: header, size field and block. */
export interface EncodedPages {
  readonly bytes: Uint8Array;
  readonly sizes: Uint32Array;
  readonly checksums: BigUint64Array;
  readonly crc: Checksum;
}

/**
 * Decoded page frames. `consumed` and `crc` leave out the end header; `ended` says that it stands at
 * `consumed`.
 */
export interface DecodedPages {
  readonly consumed: number;
  readonly pgnos: Uint32Array;
  readonly pages: Uint8Array;
  readonly checksums: BigUint64Array;
  readonly crc: Checksum;
  readonly ended: boolean;
}

const WAL_FRAME_HEADER_BYTES = 24;
/** An LTX page frame: offsets in its header, which the LZ4 block follows. */
const FRAME = { flags: 4, flagsBlock: 1, size: 6, headerBytes: 10 } as const;
const { batchBytes, input, output, stop, wasm } = kernelInstance;

function checksumOf(signed: bigint): Checksum {
  return BigInt.asUintN(64, signed) as Checksum;
}

function packSeed(seed: WalSeed): bigint {
  return (BigInt(seed.s1 >>> 0) << 32n) | BigInt(seed.s0 >>> 0);
}

function unpackSeed(packed: bigint): WalSeed {
  return { s0: Number(BigInt.asUintN(32, packed)), s1: Number(BigInt.asUintN(32, packed >> 32n)) };
}

/**
 * SQLite's WAL checksum of `bytes` (a multiple of 8), continued from `seed`;
 * https://sqlite.org/fileformat2.html.
 */
export function walChecksum(bytes: Uint8Array, bigEndian: boolean, seed: WalSeed): WalSeed {
  assert(bytes.length % 8 === 0, () => `WAL checksum of ${bytes.length} bytes: not a multiple of 8`);
  let running = packSeed(seed);
  for (let at = 0; at < bytes.length; at += batchBytes) {
    const batch = bytes.subarray(at, at + batchBytes);
    input.set(batch);
    running = wasm.wal(batch.length, bigEndian, running);
  }
  return unpackSeed(running);
}

/**
 * How many leading frames of `frames` (whole frames of 24 + pageSize bytes) carry the chain's salts and
 * continue its checksum, and the checksum after the last of them.
 */
export function walVerify(frames: Uint8Array, chain: WalChain): WalVerified {
  assertPageSize(chain.pageSize);
  const frameBytes = WAL_FRAME_HEADER_BYTES + chain.pageSize;
  assert(frames.length % frameBytes === 0, () => `${frames.length} bytes are not frames of ${frameBytes}`);
  const salts = new DataView(new ArrayBuffer(8));
  salts.setUint32(0, chain.salt1);
  salts.setUint32(4, chain.salt2);
  const saltBytes = salts.getBigUint64(0, true);
  const perBatch = Math.floor(batchBytes / frameBytes);
  let checksum = chain.seed;
  let verified = 0;
  for (let left = frames.length / frameBytes; left > 0;) {
    const count = Math.min(left, perBatch);
    input.set(frames.subarray(verified * frameBytes, (verified + count) * frameBytes));
    const good = wasm.walChain(count, chain.pageSize, chain.bigEndian, saltBytes, packSeed(checksum));
    checksum = { s0: kernelInstance.result(0), s1: kernelInstance.result(1) };
    verified += good;
    left -= count;
    if (good < count) break;
  }
  return { frames: verified, checksum };
}

/**
 * CRC-64/GO-ISO of `bytes`; `before` is the CRC of what precedes them (of nothing: 0).
 *
 * @example crc64(utf8('123456789')) === 0xb90956c775a41001n
 */
export function crc64(bytes: Uint8Array, before: Checksum = 0n as Checksum): Checksum {
  let crc: bigint = before;
  for (let at = 0; at < bytes.length; at += batchBytes) {
    const batch = bytes.subarray(at, at + batchBytes);
    input.set(batch);
    crc = wasm.crc(batch.length, crc);
  }
  return checksumOf(crc);
}

/** The CRC of A‖B from the CRCs of both and the length of B. */
export function crc64Combine(a: Checksum, b: Checksum, bytesOfB: number): Checksum {
  assert(Number.isSafeInteger(bytesOfB) && bytesOfB >= 0, () => `not a length: ${bytesOfB}`);
  return checksumOf(wasm.crcCombine(a, b, BigInt(bytesOfB)));
}

/**
 * The checksum of each page as LTX's rolling checksum adds it: CRC of pgno (u32, big-endian) and page, bit 63
 * set.
 */
export function pageChecksums(pgnos: Uint32Array, pages: Uint8Array, pageSize: number): BigUint64Array {
  assertPages(pgnos, pages, pageSize);
  const checksums = new BigUint64Array(pgnos.length);
  const perBatch = batchBytes / pageSize;
  for (let first = 0; first < pgnos.length; first += perBatch) {
    const count = placePages(pgnos, pages, pageSize, first);
    wasm.checksumPages(count, pageSize);
    checksums.set(kernelInstance.checksums.subarray(0, count), first);
  }
  return checksums;
}

/**
 * One LZ4 block of at most 4 MiB; where nothing repeats it is longer than `src` (by 1/255 and 16 bytes at
 * most).
 */
export function lz4Compress(src: Uint8Array): Uint8Array {
  assert(src.length <= LIMITS.lz4BlockBytesMax, () => `LZ4 block of ${src.length} bytes: more than 4 MiB`);
  input.set(src);
  return output.slice(0, wasm.pack(src.length));
}

/**
 * Decompresses one LZ4 block. Fault `lz4-malformed` unless it is well-formed and gives exactly `size` bytes.
 */
export function lz4Decompress(src: Uint8Array, size: number): Uint8Array {
  assert(Number.isSafeInteger(size) && size >= 0, () => `not a size: ${size}`);
  if (size > LIMITS.lz4BlockBytesMax || src.length > input.length) {
    throw lz4Malformed(`${src.length} bytes for ${size} are more than one block may have`);
  }
  input.set(src);
  if (wasm.unpack(src.length, size) === 0)
    throw lz4Malformed(`${src.length} bytes do not give exactly ${size}`);
  return output.slice(0, size);
}

/**
 * Encodes pages as LTX page frames (pgno u32, flags u16 = 1, size u32, LZ4 block). `crc` continues `before`,
 * the CRC of what precedes in the file, over header and size field as stored and over each page before
 * compression.
 */
export function encodePages(
  pgnos: Uint32Array,
  pages: Uint8Array,
  pageSize: number,
  before: Checksum,
): EncodedPages {
  assertPages(pgnos, pages, pageSize);
  const sizes = new Uint32Array(pgnos.length);
  const checksums = new BigUint64Array(pgnos.length);
  const chunks: Uint8Array[] = [];
  const perBatch = batchBytes / pageSize;
  let crc: bigint = before;
  for (let first = 0; first < pgnos.length; first += perBatch) {
    const count = placePages(pgnos, pages, pageSize, first);
    crc = wasm.encode(count, pageSize, crc);
    chunks.push(output.slice(0, kernelInstance.result(0)));
    sizes.set(kernelInstance.sizes.subarray(0, count), first);
    checksums.set(kernelInstance.checksums.subarray(0, count), first);
  }
  const [only] = chunks;
  const bytes = only !== undefined && chunks.length === 1 ? only : concat(chunks);
  return { bytes, sizes, checksums, crc: checksumOf(crc) };
}

/**
 * Decodes the consecutive LTX page frames that stand whole in `bytes`; stops before an incomplete frame and
 * at the end header of six zero bytes. Faults: `ltx-frame` for an illegal header or size, `lz4-malformed` for
 * a bad block.
 */
export function decodePages(bytes: Uint8Array, pageSize: number, before: Checksum): DecodedPages {
  assertPageSize(pageSize);
  const count = wholeFrames(bytes, pageSize);
  const pgnos = new Uint32Array(count);
  const pages = new Uint8Array(count * pageSize);
  const checksums = new BigUint64Array(count);
  // A window always holds one whole frame of the largest size, so every turn but the last makes progress.
  const windowBytes = 2 * batchBytes;
  let crc: bigint = before;
  let at = 0;
  let done = 0;
  let why = stop.full;
  for (let isLast = false; !isLast;) {
    const window = bytes.subarray(at, at + windowBytes);
    input.set(window);
    crc = wasm.decode(window.length, pageSize, batchBytes / pageSize, crc);
    const [consumed, decoded] = [kernelInstance.result(0), kernelInstance.result(1)];
    why = kernelInstance.result(2);
    isLast = why === stop.ended || (why === stop.input && at + window.length === bytes.length);
    at += consumed;
    refuseMalformed(why, at);
    assert(isLast || consumed > 0, 'decodePages: every turn makes progress');
    pgnos.set(kernelInstance.pgnos.subarray(0, decoded), done);
    pages.set(output.subarray(0, decoded * pageSize), done * pageSize);
    checksums.set(kernelInstance.checksums.subarray(0, decoded), done);
    done += decoded;
  }
  assert(done === count, () => `decodePages: ${done} frames of ${count}`);
  return { consumed: at, pgnos, pages, checksums, crc: checksumOf(crc), ended: why === stop.ended };
}

/** How many page frames stand whole in `bytes`, by their headers, before the first that must be malformed. */
function wholeFrames(bytes: Uint8Array, pageSize: number): number {
  const fields = view(bytes);
  let count = 0;
  for (let at = 0; at + FRAME.headerBytes <= bytes.length; count++) {
    const size = fields.getUint32(at + FRAME.size);
    // No byte of a block gives more than 255 bytes: hostile sizes must not make the page array large.
    if (fields.getUint16(at + FRAME.flags) !== FRAME.flagsBlock || size * 255 < pageSize) break;
    at += FRAME.headerBytes + size;
    if (at > bytes.length) break;
  }
  return count;
}

function refuseMalformed(why: number, at: number): void {
  const where = `LTX page frame ${at} bytes into the chunk`;
  if (why === stop.header) throw new Fault('corrupt', 'ltx-frame', `${where} has an illegal header`);
  if (why === stop.size) throw new Fault('corrupt', 'ltx-frame', `${where} has an illegal block size`);
  if (why === stop.block) throw lz4Malformed(`${where} does not give exactly one page`);
}

function lz4Malformed(why: string): Fault {
  return new Fault('corrupt', 'lz4-malformed', `LZ4 block is malformed: ${why}`);
}

function assertPageSize(pageSize: number): void {
  const isPower = Number.isInteger(pageSize) && (pageSize & (pageSize - 1)) === 0;
  const isInRange = pageSize >= LIMITS.pageSizeMin && pageSize <= LIMITS.pageSizeMax;
  assert(isPower && isInRange, () => `not a page size: ${pageSize}`);
}

function assertPages(pgnos: Uint32Array, pages: Uint8Array, pageSize: number): void {
  assertPageSize(pageSize);
  const expected = pgnos.length * pageSize;
  assert(pages.length === expected, () => `${pages.length} bytes for ${pgnos.length} pages of ${pageSize}`);
}

/** Places the next batch of pages, from page `first` on; returns how many. */
function placePages(pgnos: Uint32Array, pages: Uint8Array, pageSize: number, first: number): number {
  const count = Math.min(pgnos.length - first, batchBytes / pageSize);
  kernelInstance.pgnos.set(pgnos.subarray(first, first + count));
  input.set(pages.subarray(first * pageSize, (first + count) * pageSize));
  return count;
}
