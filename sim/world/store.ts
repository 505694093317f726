/**
 * A store as one process sees it: the network and the store are the world's, and outlive the process.
 *
 * Contract: a request of a process that dies goes on its way; the answer comes to nobody.
 */

import type {
  ByteRange,
  ObjectInfo,
  ObjectStore,
  PutBody,
  PutOptions,
  PutOutcome,
} from '../../src/storage/object-store.ts';
import type { StoreCapabilities, StoredObject } from '../../src/storage/object-store.ts';
import type { SimProcess } from './process.ts';

/** `inner`, for one process. */
export class ProcessStore implements ObjectStore {
  readonly url: string;
  readonly capabilities: StoreCapabilities;
  readonly #process: SimProcess;
  readonly #inner: ObjectStore;

  constructor(process: SimProcess, inner: ObjectStore) {
    this.url = inner.url;
    this.capabilities = inner.capabilities;
    this.#process = process;
    this.#inner = inner;
  }

  put(key: string, body: PutBody, options?: PutOptions): Promise<PutOutcome> {
    return this.#ask('put', key, () => this.#inner.put(key, body, options));
  }

  get(key: string, range?: ByteRange, signal?: AbortSignal): Promise<StoredObject | null> {
    return this.#ask('get', key, () => this.#inner.get(key, range, signal));
  }

  head(key: string): Promise<(ObjectInfo & { readonly etag: string }) | null> {
    return this.#ask('head', key, () => this.#inner.head(key));
  }

  list(prefix: string, startAfter?: string): Promise<readonly ObjectInfo[]> {
    return this.#ask('list', prefix, () => this.#inner.list(prefix, startAfter));
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.#ask('delete', keys.join(' '), () => this.#inner.delete(keys));
  }

  async close(): Promise<void> {}

  async #ask<T>(call: string, key: string, request: () => Promise<T>): Promise<T> {
    this.#process.enter(`store.${call}`, key);
    this.#process.note(call, key);
    const answer = await this.#process.hold(request());
    this.#process.enter(`store.${call} answered`, key);
    return answer;
  }
}
