/**
 * The contract of ObjectStore: every backend passes it, the simulated one included.
 *
 * What a backend cannot do (`capabilities`) it must refuse by name; those tests then assert the refusal.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import * as fc from 'fast-check';

import { concat } from '../../src/base/bytes.ts';
import { bodyOf } from '../../src/storage/object-store.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { conditions, deletions, refusals, rejects, stored, swaps } from './object-store-changes.ts';
import type { Holds } from './object-store-changes.ts';

/** How to get a store to test. */
export interface StoreUnderTest {
  /** A fresh and empty store; `t.after` cleans up. */
  open(t: TestContext): ObjectStore | Promise<ObjectStore>;
  /** Runs a test's body to its end, for stores in a world whose time must be driven. */
  drive?<T>(work: () => Promise<T>): Promise<T>;
  /** Property runs; 200 unless said. */
  readonly runs?: number;
}

/** Declares the suite for one backend. */
export function objectStoreContract(name: string, subject: StoreUnderTest): void {
  const drive = subject.drive?.bind(subject) ?? (<T>(work: () => Promise<T>) => work());
  const numRuns = subject.runs ?? 200;
  const holds = (what: string, body: (store: ObjectStore) => Promise<void>): void => {
    test(what, async (t) => {
      const store = await subject.open(t);
      await drive(() => body(store));
      await store.close();
    });
  };
  describe(`ObjectStore: ${name}`, () => {
    objects(holds);
    ranges(holds, numRuns);
    conditions(holds);
    swaps(holds);
    listings(holds);
    deletions(holds);
    refusals(holds);
    model(holds, numRuns);
  });
}

function objects(holds: Holds): void {
  holds('an absent object is null, not an error', async (store) => {
    assert.equal(await store.get('a/b'), null);
    assert.equal(await store.get('a/b', { offset: 5, length: 5 }), null);
    assert.equal(await store.head('a/b'), null);
    assert.deepEqual(await store.list(''), []);
  });
  holds('an object is read back whole, however it was cut into chunks', async (store) => {
    const whole = Uint8Array.from({ length: 3000 }, (_, i) => i % 251);
    const chunks = [whole.subarray(0, 1), new Uint8Array(0), whole.subarray(1, 2900), whole.subarray(2900)];
    await store.put('a/whole', { size: whole.length, chunks });
    const object = await store.get('a/whole');
    assert.deepEqual(object?.bytes, whole);
    assert.equal(object.size, whole.length);
  });
  holds('an empty object is an object', async (store) => {
    await store.put('empty', { size: 0, chunks: [] });
    assert.deepEqual((await store.get('empty'))?.bytes, new Uint8Array(0));
    assert.equal((await store.head('empty'))?.size, 0);
  });
  holds('an object of several megabytes is read back', async (store) => {
    const bytes = Uint8Array.from({ length: 3 * 1024 * 1024 + 17 }, (_, i) => (i * 7) & 255);
    await store.put('large', bodyOf(bytes));
    const object = await store.get('large');
    assert.ok(object !== null && Buffer.compare(object.bytes, bytes) === 0);
  });
  holds('an object does not change with the buffers it was put from or read into', async (store) => {
    const bytes = Uint8Array.of(1, 2, 3);
    await store.put('k', bodyOf(bytes));
    bytes.fill(9);
    const first = await store.get('k');
    assert.deepEqual(first?.bytes, Uint8Array.of(1, 2, 3));
    first.bytes.fill(8);
    assert.deepEqual((await store.get('k'))?.bytes, Uint8Array.of(1, 2, 3));
  });
  holds('a put without condition replaces what was there', async (store) => {
    await store.put('k', bodyOf(Uint8Array.of(1, 1, 1)));
    await store.put('k', bodyOf(Uint8Array.of(2)));
    const object = await store.get('k');
    assert.deepEqual(object?.bytes, Uint8Array.of(2));
    assert.equal(object.size, 1);
  });
  holds('put, get and head agree on the ETag, and another object has another', async (store) => {
    const put = stored(await store.put('k', bodyOf(Uint8Array.of(1))));
    assert.equal((await store.get('k'))?.etag, put);
    assert.equal((await store.get('k', { offset: 0, length: 1 }))?.etag, put);
    assert.equal((await store.head('k'))?.etag, put);
    assert.notEqual(stored(await store.put('k', bodyOf(Uint8Array.of(2)))), put);
  });
}

function ranges(holds: Holds, numRuns: number): void {
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
  holds('a range is read exactly', async (store) => {
    await store.put('k', bodyOf(bytes));
    const range = fc
      .tuple(fc.nat(99), fc.nat(99))
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b) + 1] as const);
    const isExact = async ([start, end]: readonly [number, number]): Promise<void> => {
      const object = await store.get('k', { offset: start, length: end - start });
      assert.deepEqual(object?.bytes, bytes.slice(start, end));
      assert.equal(object.size, 100);
    };
    await fc.assert(fc.asyncProperty(range, isExact), { numRuns });
  });
  holds('a range that reaches past the end is corrupt, never short', async (store) => {
    await store.put('k', bodyOf(bytes));
    for (const [offset, length] of [
      [0, 101],
      [99, 2],
      [100, 1],
      [1_000, 1],
    ] as const) {
      await rejects(store.get('k', { offset, length }), 'corrupt', 'object-truncated');
    }
  });
  holds('a range of nothing, or of no whole numbers, is refused', async (store) => {
    await store.put('k', bodyOf(bytes));
    for (const [offset, length] of [
      [0, 0],
      [-1, 1],
      [0, -1],
      [0.5, 1],
      [0, Number.NaN],
      [0, Infinity],
    ] as const) {
      await rejects(store.get('k', { offset, length }), 'invalid', 'range-malformed');
    }
  });
}

function listings(holds: Holds): void {
  const put = async (store: ObjectStore, keys: readonly string[]): Promise<void> => {
    for (const key of keys)
      await store.put(key, bodyOf(new Uint8Array(key.length)), { modifiedMs: 1_700_000_000_123 });
  };
  const keys = async (store: ObjectStore, prefix: string, startAfter?: string): Promise<string[]> =>
    (await store.list(prefix, startAfter)).map(({ key }) => key);
  holds('a listing is sorted by key, across directories', async (store) => {
    await put(store, ['b', 'a/2', 'a/1', 'a-1', 'a/b/c', 'aa', 'B']);
    assert.deepEqual(await keys(store, ''), ['B', 'a-1', 'a/1', 'a/2', 'a/b/c', 'aa', 'b']);
  });
  holds('a prefix is text, not only whole directories', async (store) => {
    await put(store, ['ltx/0/01', 'ltx/0/02', 'ltx/01', 'ltx/1/01', 'm']);
    assert.deepEqual(await keys(store, 'ltx/0'), ['ltx/0/01', 'ltx/0/02', 'ltx/01']);
    assert.deepEqual(await keys(store, 'ltx/0/'), ['ltx/0/01', 'ltx/0/02']);
    assert.deepEqual(await keys(store, 'ltx/0/02'), ['ltx/0/02']);
    assert.deepEqual(await keys(store, 'nothing'), []);
    assert.deepEqual(await keys(store, 'ltx/0/02/'), []);
  });
  holds('a listing starts after a key, which need not exist', async (store) => {
    await put(store, ['a/1', 'a/2', 'a/3/x', 'a/4', 'b']);
    assert.deepEqual(await keys(store, 'a/', 'a/2'), ['a/3/x', 'a/4']);
    assert.deepEqual(await keys(store, '', 'a/3'), ['a/3/x', 'a/4', 'b']);
    assert.deepEqual(await keys(store, '', 'a/3/x'), ['a/4', 'b']);
    assert.deepEqual(await keys(store, 'a/', 'zzz'), []);
  });
  holds('a listing has sizes, and times as they were given where the store keeps them', async (store) => {
    await put(store, ['a/key']);
    const [info] = await store.list('a/');
    const { etag, ...head } = (await store.head('a/key')) ?? assert.fail('the object is there');
    assert.deepEqual(info, head);
    assert.equal(info?.size, 5);
    if (store.capabilities.modifiedTime === 'kept') assert.equal(info.modifiedMs, 1_700_000_000_123);
    assert.equal(typeof etag, 'string');
  });
}

/** Random histories against a Map: two routes, one truth. */
function model(holds: Holds, numRuns: number): void {
  const key = fc.constantFrom('a/1', 'a/2', 'a/3/x', 'b', 'c-1');
  const operation = fc.oneof(
    fc.record({ kind: fc.constant('put'), key, bytes: fc.uint8Array({ maxLength: 20 }) }),
    fc.record({ kind: fc.constant('create'), key, bytes: fc.uint8Array({ maxLength: 20 }) }),
    fc.record({ kind: fc.constant('delete'), key, bytes: fc.constant(new Uint8Array(0)) }),
  );
  holds('any history of puts, creations and deletions leaves what a map would hold', async (store) => {
    const follows = async (
      operations: readonly { kind: string; key: string; bytes: Uint8Array }[],
    ): Promise<void> => {
      await store.delete((await store.list('')).map((info) => info.key));
      const map = new Map<string, Uint8Array>();
      for (const { kind, key, bytes } of operations) {
        if (kind === 'delete') {
          await store.delete([key]);
          map.delete(key);
          continue;
        }
        const isCreate = kind === 'create' && store.capabilities.conditionalCreate;
        const condition = isCreate ? ({ ifNoneMatch: '*' } as const) : undefined;
        const { outcome } = await store.put(key, bodyOf(bytes), { condition });
        assert.equal(outcome, isCreate && map.has(key) ? 'exists' : 'stored');
        if (outcome === 'stored') map.set(key, bytes);
      }
      assert.deepEqual(
        (await store.list('')).map((info) => info.key),
        [...map.keys()].toSorted(),
      );
      for (const [key, bytes] of map) assert.deepEqual((await store.get(key))?.bytes, concat([bytes]));
    };
    await fc.assert(fc.asyncProperty(fc.array(operation, { maxLength: 6 }), follows), { numRuns });
  });
}
