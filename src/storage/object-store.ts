/**
 * ObjectStore: where archives live. One interface, many backends, one contract suite
 * (`test/contract/object-store.ts`).
 *
 * An object is written whole or not at all, and its outcome is reported only when it is durable. What
 * `list`, `head`, a whole `get` and the outcome 'exists' report is durable too. All methods throw `Fault`
 * for operating errors; a put or delete that throws `unavailable` may have happened, or may happen later:
 * read to find out.
 */

import { Fault } from '../base/fault.ts';

export const LIMITS = { keyBytesMax: 512, segmentsMax: 16, segmentBytesMax: 200 } as const;

/**
 * When to write: only where no object has the key, or only over the object with this ETag; `undefined`:
 * always.
 */
export type PutCondition = { readonly ifNoneMatch: '*' } | { readonly ifMatch: string } | undefined;

/** The bytes of an object: `size` in all, in chunks that need not be joined. */
export interface PutBody {
  readonly size: number;
  readonly chunks: readonly Uint8Array[];
}

export interface PutOptions {
  readonly condition?: PutCondition;
  /** The time of the last change that listings report, where `capabilities.modifiedTime` is 'kept'. */
  readonly modifiedMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * 'exists': another object has the key. 'mismatch': the object with the ETag is not there. Then nothing
 * happened.
 */
export type PutOutcome =
  | { readonly outcome: 'stored'; readonly etag: string }
  | { readonly outcome: 'exists' }
  | { readonly outcome: 'mismatch' };

/** Bytes `offset` … `offset + length - 1`; `length` ≥ 1. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** What was read: all bytes asked for, the size of the whole object, and its ETag. */
export interface StoredObject {
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly etag: string;
}

/** An object in a listing. */
export interface ObjectInfo {
  readonly key: string;
  readonly size: number;
  readonly modifiedMs: number;
}

/** What a store can do. */
export interface StoreCapabilities {
  /** Honours `ifNoneMatch: '*'`: without it, two writers cannot be told apart. */
  readonly conditionalCreate: boolean;
  /** Honours `ifMatch`. */
  readonly compareAndSwap: boolean;
  /** Where LTX files lie: `ltx/<level>/…` or `000<level>/…`, as Litestream has it for this kind of store. */
  readonly layout: 'levels-decimal' | 'levels-hex4';
  /** Whether `modifiedMs` is kept, or listings report the server's own time. */
  readonly modifiedTime: 'kept' | 'server';
}

/** A store of objects by key. */
export interface ObjectStore {
  /** Where it is, for people. Holds no secrets. */
  readonly url: string;
  readonly capabilities: StoreCapabilities;
  /**
   * Writes an object. Faults: `key-malformed`, `store-condition` (a condition that this store cannot
   * honour).
   */
  put(key: string, body: PutBody, options?: PutOptions): Promise<PutOutcome>;
  /**
   * Reads an object or a part of it; `null`: there is none. Never returns fewer bytes than asked for: an
   * object that ends before the range does is Fault `object-truncated` (corrupt), a body cut off on its way
   * `body-short` (unavailable).
   */
  get(key: string, range?: ByteRange, signal?: AbortSignal): Promise<StoredObject | null>;
  /** What a listing would say of this object, and its ETag; `null`: there is none. */
  head(key: string): Promise<(ObjectInfo & { readonly etag: string }) | null>;
  /**
   * All objects whose keys start with `prefix` (any text, not only whole segments) and sort after
   * `startAfter`, by key.
   */
  list(prefix: string, startAfter?: string): Promise<readonly ObjectInfo[]>;
  /** Deletes objects; those that are not there are deleted already. */
  delete(keys: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** A body of one chunk. */
export function bodyOf(bytes: Uint8Array): PutBody {
  return { size: bytes.length, chunks: [bytes] };
}

const SEGMENT = /^[A-Za-z0-9!_*'()-][A-Za-z0-9!_.*'()-]*$/;

/**
 * Whether `segment` may stand between two slashes of a key. Names that begin with a dot belong to the
 * stores.
 */
export function isKeySegment(segment: string): boolean {
  return segment.length <= LIMITS.segmentBytesMax && SEGMENT.test(segment);
}

/**
 * Throws Fault `key-malformed` unless `key` is 1 … 16 segments of letters, digits and `!-_.*'()` between
 * single slashes. What passes means the same in every store, and cannot leave a directory.
 */
export function keyCheck(key: string): void {
  const segments = key.length > LIMITS.keyBytesMax ? [] : key.split('/');
  if (segments.length > 0 && segments.length <= LIMITS.segmentsMax && segments.every(isKeySegment)) return;
  const shown = JSON.stringify(key.slice(0, LIMITS.keyBytesMax));
  throw new Fault('invalid', 'key-malformed', `${shown} cannot be the key of an object`, {
    hint: "a key is words of letters, digits and !-_.*'() between single slashes, none beginning with a dot",
  });
}

/**
 * Throws Fault `store-condition` when a store of these capabilities cannot honour `condition`: never put
 * without it.
 */
export function conditionCheck(
  store: Pick<ObjectStore, 'url' | 'capabilities'>,
  condition: PutCondition,
): void {
  if (condition === undefined) return;
  const { conditionalCreate, compareAndSwap } = store.capabilities;
  if ('ifNoneMatch' in condition ? conditionalCreate : compareAndSwap) return;
  const what = 'ifNoneMatch' in condition ? 'create only what is absent' : 'compare and swap';
  throw new Fault('invalid', 'store-condition', `the store ${store.url} cannot ${what}`, {
    hint: 'without it two writers would overwrite each other unnoticed; use a store that can',
  });
}

/** Throws Fault `range-malformed` unless `range` is whole numbers, `offset` ≥ 0 and `length` ≥ 1. */
export function rangeCheck(range: ByteRange): void {
  const { offset, length } = range;
  if (Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 1) return;
  throw new Fault('invalid', 'range-malformed', `there is no range of ${length} bytes at offset ${offset}`);
}

/** The Fault of a range that reaches past the end of its object. */
export function objectTruncated(key: string, size: number, range: ByteRange): Fault {
  const end = range.offset + range.length;
  return new Fault('corrupt', 'object-truncated', `${key} ends at ${size} bytes; ${end} are expected`, {
    hint: 'the object was cut off or replaced; compare its size with a copy, and keep it as evidence',
    details: { key, size, offset: range.offset, length: range.length },
  });
}

/** Throws Fault `aborted` when `signal` was. */
export function abortCheck(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted === true) {
    throw new Fault('unavailable', 'aborted', `${what} was given up`, { cause: signal.reason });
  }
}
