/**
 * FaultyStore: a store that misbehaves as real ones do, by chance, around any other. Part of the testing
 * helpers.
 *
 * What it never does is lie: it throws Faults that the ObjectStore contract allows, at the worst moments.
 * The dangerous ones are puts whose answer is lost (`lostAnswer`: it happened) and puts that happen after
 * they were given up (`late`). `faults` may be changed at any time: `store.faults = NO_FAULTS` heals it.
 */

import { Fault } from '../base/fault.ts';
import type { Chance, Clock } from '../base/ports.ts';
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

/** Each is a probability, 0 … 1, for one request, unless it says otherwise. */
export interface StoreFaults {
  /**
   * Every request waits for a uniform time of `latencyMinMs` … `latencyMaxMs` before its effect, and again
   * after it.
   */
  readonly latencyMinMs: number;
  readonly latencyMaxMs: number;
  /** Fails before it had any effect. */
  readonly unavailable: number;
  /** Happens; the answer is lost. */
  readonly lostAnswer: number;
  /** Puts and deletes only: fails, and happens up to `lateMaxMs` afterwards. */
  readonly late: number;
  readonly lateMaxMs: number;
  /** A read whose body is cut off. */
  readonly bodyShort: number;
  /** A listing as it was the last time it was asked for. */
  readonly listStale: number;
  /** Not a probability: puts and deletes are forbidden. */
  readonly isReadOnly: boolean;
}

/** A store that behaves. */
export const NO_FAULTS: StoreFaults = {
  latencyMinMs: 0,
  latencyMaxMs: 0,
  unavailable: 0,
  lostAnswer: 0,
  late: 0,
  lateMaxMs: 0,
  bodyShort: 0,
  listStale: 0,
  isReadOnly: false,
};

/** What `FaultyStore` did so far, for tests that must see a fault of each kind. */
export type FaultCounts = Record<
  'unavailable' | 'lostAnswer' | 'late' | 'bodyShort' | 'listStale' | 'forbidden',
  number
>;

/**
 * A store around `inner` that misbehaves by `chance`. Same chance, same clock, same requests: same faults.
 */
export class FaultyStore implements ObjectStore {
  readonly url: string;
  readonly capabilities: StoreCapabilities;
  readonly counts: FaultCounts = {
    unavailable: 0,
    lostAnswer: 0,
    late: 0,
    bodyShort: 0,
    listStale: 0,
    forbidden: 0,
  };
  faults: StoreFaults;
  readonly #inner: ObjectStore;
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #listings = new Map<string, readonly ObjectInfo[]>();
  readonly #late = new Set<Promise<void>>();

  constructor(inner: ObjectStore, clock: Clock, chance: Chance, faults: Partial<StoreFaults> = {}) {
    this.url = inner.url;
    this.capabilities = inner.capabilities;
    this.faults = { ...NO_FAULTS, ...faults };
    this.#inner = inner;
    this.#clock = clock;
    this.#chance = chance;
  }

  async put(key: string, body: PutBody, options: PutOptions = {}): Promise<PutOutcome> {
    const { signal, ...kept } = options;
    return await this.#change(`writing ${key}`, () => this.#inner.put(key, body, kept), signal);
  }

  async get(key: string, range?: ByteRange, signal?: AbortSignal): Promise<StoredObject | null> {
    const object = await this.#ask(`reading ${key}`, () => this.#inner.get(key, range, signal), signal);
    if (object === null || object.bytes.length === 0 || !this.#strikes('bodyShort')) return object;
    const sizes = `${this.#chance.u32() % object.bytes.length} of ${object.bytes.length} bytes`;
    throw new Fault('unavailable', 'body-short', `reading ${key} ended after ${sizes}`);
  }

  async head(key: string): Promise<(ObjectInfo & { readonly etag: string }) | null> {
    return await this.#ask(`looking at ${key}`, () => this.#inner.head(key));
  }

  async list(prefix: string, startAfter = ''): Promise<readonly ObjectInfo[]> {
    const infos = await this.#ask(`listing ${prefix}`, () => this.#inner.list(prefix));
    const before = this.#listings.get(prefix);
    const isStale = before !== undefined && this.#strikes('listStale');
    if (!isStale) this.#listings.set(prefix, infos);
    return (isStale ? before : infos).filter(({ key }) => key > startAfter);
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#change(`deleting ${keys.length} objects`, () => this.#inner.delete(keys));
  }

  /** Resolves when everything late has happened. */
  async settle(): Promise<void> {
    while (this.#late.size > 0) await Promise.all(this.#late);
  }

  async close(): Promise<void> {
    await this.settle();
    await this.#inner.close();
  }

  /** A request that changes something: it may be forbidden, or happen after it failed. */
  async #change<T>(what: string, act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.faults.isReadOnly) {
      this.counts.forbidden++;
      throw new Fault('invalid', 'store-forbidden', `${what} is not permitted`, {
        hint: 'check the credentials',
      });
    }
    if (!this.#strikes('late')) return await this.#ask(what, act, signal);
    const late = this.#happenLate(act).finally(() => this.#late.delete(late));
    this.#late.add(late);
    await this.#wait(signal);
    throw new Fault('unavailable', 'store-timeout', `${what}: no answer`);
  }

  async #ask<T>(what: string, act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#wait(signal);
    if (this.#strikes('unavailable'))
      throw new Fault('unavailable', 'store-unavailable', `${what}: the store is down`);
    if (signal?.aborted === true) throw new Fault('unavailable', 'aborted', `${what} was given up`);
    const answer = await act();
    await this.#wait(signal);
    if (this.#strikes('lostAnswer')) throw new Fault('unavailable', 'store-timeout', `${what}: no answer`);
    return answer;
  }

  async #happenLate(act: () => Promise<unknown>): Promise<void> {
    await this.#clock.sleep((this.#chance.u32() / 2 ** 32) * this.faults.lateMaxMs);
    try {
      await act();
    } catch (error) {
      // Nobody waits for it. A Bug must not be lost, though.
      if (!(error instanceof Fault)) throw error;
    }
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const { latencyMinMs, latencyMaxMs } = this.faults;
    if (latencyMaxMs <= 0) return;
    await this.#clock.sleep(
      latencyMinMs + (this.#chance.u32() / 2 ** 32) * (latencyMaxMs - latencyMinMs),
      signal,
    );
  }

  #strikes(fault: 'unavailable' | 'lostAnswer' | 'late' | 'bodyShort' | 'listStale'): boolean {
    const probability = this.faults[fault];
    if (probability <= 0 || this.#chance.u32() / 2 ** 32 >= probability) return false;
    this.counts[fault]++;
    return true;
  }
}
