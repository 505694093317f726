/**
 * An ObjectStore in memory: for tests, demonstrations and the simulator.
 *
 * Every effect happens at once, between two awaits; latency and failures are `FaultyStore`'s. Bodies are
 * copied on their way in and out: nobody can change an object by keeping its buffer.
 */

import { concat } from '../base/bytes.ts';
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/ports.ts';
import { abortCheck, conditionCheck, keyCheck, objectTruncated, rangeCheck } from './object-store.ts';
import type {
  ByteRange,
  ObjectInfo,
  ObjectStore,
  PutBody,
  PutOptions,
  PutOutcome,
  StoreCapabilities,
  StoredObject,
} from './object-store.ts';

interface Entry {
  readonly bytes: Uint8Array;
  readonly modifiedMs: number;
  readonly etag: string;
}

/**
 * An ObjectStore in memory. `clock` stamps what is put without a time; `capabilities` replaces the usual
 * ones.
 */
export class MemoryStore implements ObjectStore {
  readonly url: string = 'memory:';
  readonly capabilities: StoreCapabilities;
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #entries = new Map<string, Entry>();
  #puts = 0;

  constructor(clock: Pick<Clock, 'wallMs'>, capabilities: Partial<StoreCapabilities> = {}) {
    this.#clock = clock;
    this.capabilities = {
      conditionalCreate: true,
      compareAndSwap: true,
      layout: 'levels-decimal',
      modifiedTime: 'kept',
      ...capabilities,
    };
  }

  async put(key: string, body: PutBody, options: PutOptions = {}): Promise<PutOutcome> {
    keyCheck(key);
    abortCheck(options.signal, `writing ${key}`);
    const { condition } = options;
    conditionCheck(this, condition);
    const before = this.#entries.get(key);
    if (condition !== undefined && 'ifNoneMatch' in condition && before !== undefined)
      return { outcome: 'exists' };
    if (condition !== undefined && 'ifMatch' in condition && before?.etag !== condition.ifMatch) {
      return { outcome: 'mismatch' };
    }
    const bytes = concat(body.chunks);
    assert(bytes.length === body.size, 'put: the body has the size that it names');
    const isKept = this.capabilities.modifiedTime === 'kept' && options.modifiedMs !== undefined;
    const modifiedMs = isKept ? options.modifiedMs : this.#clock.wallMs();
    const etag = `"${++this.#puts}"`;
    this.#entries.set(key, { bytes, modifiedMs, etag });
    return { outcome: 'stored', etag };
  }

  async get(key: string, range?: ByteRange, signal?: AbortSignal): Promise<StoredObject | null> {
    keyCheck(key);
    if (range !== undefined) rangeCheck(range);
    abortCheck(signal, `reading ${key}`);
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    const size = entry.bytes.length;
    if (range === undefined) return { bytes: entry.bytes.slice(), size, etag: entry.etag };
    const end = range.offset + range.length;
    if (end > size) throw objectTruncated(key, size, range);
    return { bytes: entry.bytes.slice(range.offset, end), size, etag: entry.etag };
  }

  async head(key: string): Promise<(ObjectInfo & { readonly etag: string }) | null> {
    keyCheck(key);
    const entry = this.#entries.get(key);
    return entry === undefined ? null : { ...infoOf(key, entry), etag: entry.etag };
  }

  async list(prefix: string, startAfter = ''): Promise<readonly ObjectInfo[]> {
    const infos: ObjectInfo[] = [];
    for (const [key, entry] of this.#entries) {
      if (key.startsWith(prefix) && key > startAfter) infos.push(infoOf(key, entry));
    }
    return infos.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) keyCheck(key);
    for (const key of keys) this.#entries.delete(key);
  }

  async close(): Promise<void> {}
}

function infoOf(key: string, entry: Entry): ObjectInfo {
  return { key, size: entry.bytes.length, modifiedMs: entry.modifiedMs };
}
