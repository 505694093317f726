/**
 * PlanFile: one file of a restore plan, opened: its header, its trailer, and its page index as it is needed.
 *
 * One read of the tail brings the trailer and most indexes whole; of a small file it brings everything. An
 * index that is longer is read in chunks, as its pages are asked for. Every Fault of kind corrupt names the
 * object.
 */

import { Fault, isFault } from '../base/fault.ts';
import { checksumFormat, txidFormat } from '../base/ids.ts';
import { view } from '../base/bytes.ts';
import type { Checksum } from '../base/ids.ts';
import { LTX_FILE_BYTES_MIN, LTX_TRAILER_BYTES, ltxTrailerDecode } from '../format/ltx-file.ts';
import { LTX_END_BYTES } from '../format/ltx-frame.ts';
import { LTX_HEADER_BYTES, ltxHeaderDecode } from '../format/ltx-header.ts';
import type { LtxHeader, LtxHeaderRead } from '../format/ltx-header.ts';
import { LTX_INDEX_SIZE_BYTES } from '../format/ltx-index.ts';
import type { LtxFile } from '../storage/archive-keys.ts';
import type { ByteRange } from '../storage/object-store.ts';
import { FileChecksum } from './file-checksum.ts';
import { IndexReader } from './index-reader.ts';
import type { FrameList } from './page-choice.ts';

/** The file checksum itself, which nothing covers. */
const FILE_CHECKSUM_BYTES = 8;

/** Reads a part of a file of the archive, whole. */
export type ReadPart = (file: LtxFile, range: ByteRange) => Promise<Uint8Array>;

export interface PlanFileOptions {
  /** Bytes of the tail to read at first, and to keep. */
  readonly tailBytes: number;
  /** Bytes of one read of an index that is longer. */
  readonly chunkBytes: number;
}

/** One opened file of a plan. */
export class PlanFile {
  readonly file: LtxFile;
  readonly header: LtxHeader;
  /** The checksum as it is read. */
  readonly checksum: FileChecksum;
  readonly #read: ReadPart;
  readonly #index: IndexReader;
  readonly #chunkBytes: number;
  /** The file from `#heldFrom` on. */
  readonly #held: Uint8Array;
  readonly #heldFrom: number;
  readonly #framesEnd: number;
  readonly #indexEnd: number;
  #at: number;
  readonly #fileChecksum: Checksum;

  private constructor(parts: Parts, read: ReadPart, options: PlanFileOptions) {
    const { file, header, tail, tailFrom } = parts;
    const indexBytes = indexBytesOf(file, tail);
    this.#indexEnd = file.size - LTX_TRAILER_BYTES - LTX_INDEX_SIZE_BYTES;
    this.#framesEnd = this.#indexEnd - indexBytes - LTX_END_BYTES;
    this.#at = this.#framesEnd;
    this.file = file;
    this.header = header;
    this.checksum = new FileChecksum(parts.headerBytes, this.#framesEnd);
    this.#fileChecksum = fileChecksumOf(header, tail);
    this.#read = read;
    this.#chunkBytes = options.chunkBytes;
    this.#index = new IndexReader({
      framesEnd: this.#framesEnd,
      bytes: indexBytes,
      pageSize: header.pageSize,
    });
    this.#held = tail;
    this.#heldFrom = tailFrom;
  }

  /**
   * Reads header and tail of a file. Throws Fault corrupt, naming the object, unless they can belong
   * together.
   */
  static async open(file: LtxFile, read: ReadPart, options: PlanFileOptions): Promise<PlanFile> {
    return await namingAsync(file, async () => {
      if (file.size < LTX_FILE_BYTES_MIN) {
        const sizes = `${file.size} bytes, less than the ${LTX_FILE_BYTES_MIN} of the shortest LTX file`;
        throw new Fault('corrupt', 'object-truncated', `it has ${sizes}`);
      }
      const tailFrom = Math.max(0, file.size - Math.max(options.tailBytes, LTX_FILE_BYTES_MIN));
      const [tail, head] = await Promise.all([
        read(file, { offset: tailFrom, length: file.size - tailFrom }),
        tailFrom === 0 ? null : read(file, { offset: 0, length: LTX_HEADER_BYTES }),
      ]);
      const headerBytes = head ?? tail.slice(0, LTX_HEADER_BYTES);
      const header = headerOf(file, headerBytes);
      return new PlanFile({ file, header, headerBytes, tail, tailFrom }, read, options);
    });
  }

  /** Whether every entry of the index was taken. */
  get isIndexDone(): boolean {
    return this.#index.isDone;
  }

  /** More pages than this the file cannot hold: each takes three bytes of its index. */
  get pagesMax(): number {
    return Math.floor((this.#indexEnd - this.#framesEnd - LTX_END_BYTES) / 3);
  }

  /** Whether all of the file is at hand. */
  get isHeld(): boolean {
    return this.#heldFrom === 0;
  }

  /** The frames of pages below `before` that were not taken yet, in pieces that fit into memory. */
  async *framesBefore(before: number): AsyncGenerator<FrameList> {
    for (;;) {
      const frames = naming(this.file, () => this.#index.take(before));
      if (frames.count > 0) yield frames;
      if (!this.#index.isHungry) return;
      await namingAsync(this.file, () => this.#feed());
    }
  }

  /** Bytes of the file, from what was kept or from the archive. */
  async bytes(offset: number, length: number): Promise<Uint8Array> {
    const from = offset - this.#heldFrom;
    if (from >= 0) return this.#held.slice(from, from + length);
    return await namingAsync(this.file, () => this.#read(this.file, { offset, length }));
  }

  /** Throws Fault `ltx-checksum` if the whole file was decoded and is not what its trailer says. */
  check(): void {
    const found = this.checksum.value();
    if (found === null || found === this.#fileChecksum) return;
    const [is, expected] = [checksumFormat(found), checksumFormat(this.#fileChecksum)];
    throw named(this.file, new Fault('corrupt', 'ltx-checksum', `its checksum is ${is}, not ${expected}`));
  }

  /**
   * The next chunk between frames and trailer: end header, index, and with its end all that the checksum
   * covers.
   */
  async #feed(): Promise<void> {
    const isFirst = this.#at === this.#framesEnd;
    const length = Math.min(Math.max(this.#chunkBytes, LTX_END_BYTES + 1), this.#indexEnd - this.#at);
    const isLast = this.#at + length === this.#indexEnd;
    const behind = isLast ? LTX_INDEX_SIZE_BYTES + LTX_TRAILER_BYTES - FILE_CHECKSUM_BYTES : 0;
    const chunk = await this.bytes(this.#at, length + behind);
    this.checksum.addClosing(chunk);
    const from = isFirst ? LTX_END_BYTES : 0;
    if (chunk.subarray(0, from).some((byte) => byte !== 0)) {
      throw new Fault('corrupt', 'ltx-index', 'no end mark stands between its frames and its index');
    }
    this.#index.push(chunk.subarray(from, length));
    this.#at += length;
  }
}

interface Parts {
  readonly file: LtxFile;
  readonly header: LtxHeaderRead;
  readonly headerBytes: Uint8Array;
  readonly tail: Uint8Array;
  readonly tailFrom: number;
}

/** The size of the index with its terminator, as the file names it. */
function indexBytesOf(file: LtxFile, tail: Uint8Array): number {
  const bytes = view(tail).getBigUint64(tail.length - LTX_TRAILER_BYTES - LTX_INDEX_SIZE_BYTES);
  if (bytes >= 1n && bytes <= BigInt(file.size - LTX_FILE_BYTES_MIN + 1)) return Number(bytes);
  throw new Fault('corrupt', 'ltx-index', `its page index would have ${bytes} of ${file.size} bytes`);
}

function fileChecksumOf(header: LtxHeaderRead, tail: Uint8Array): Checksum {
  const { postApply, fileChecksum } = ltxTrailerDecode(tail.subarray(tail.length - LTX_TRAILER_BYTES));
  if ((postApply !== 0n) === header.hasChecksums) return fileChecksum;
  throw new Fault('corrupt', 'ltx-trailer', `it has post-apply checksum ${postApply} against its flags`);
}

function headerOf(file: LtxFile, bytes: Uint8Array): LtxHeaderRead {
  const header = ltxHeaderDecode(bytes);
  if (header.minTxid === file.minTxid && header.maxTxid === file.maxTxid) return header;
  const found = `${txidFormat(header.minTxid)} to ${txidFormat(header.maxTxid)}`;
  throw new Fault('corrupt', 'object-misnamed', `it holds the TXIDs ${found}, not those of its name`);
}

/** Runs `action`; a Fault of kind corrupt that it throws names `file`. */
export function naming<T>(file: LtxFile, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw named(file, error);
  }
}

/** `naming`, for what takes time. */
export async function namingAsync<T>(file: LtxFile, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw named(file, error);
  }
}

function named(file: LtxFile, error: unknown): unknown {
  if (!isFault(error, 'corrupt') || error.details['key'] !== undefined) return error;
  return new Fault('corrupt', error.code, `${file.key} is corrupt: ${error.message}`, {
    hint: error.hint ?? 'keep the object as evidence; restore from a copy of the archive, or another TXID',
    cause: error,
    details: { ...error.details, key: file.key },
  });
}
