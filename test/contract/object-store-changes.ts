/** The part of the ObjectStore contract about what changes objects, and what must be refused. */

import assert from 'node:assert/strict';

import { isFault } from '../../src/base/fault.ts';
import { bodyOf } from '../../src/storage/object-store.ts';
import type { ObjectStore, PutOutcome } from '../../src/storage/object-store.ts';

/** Declares a test on a fresh store. */
export type Holds = (what: string, body: (store: ObjectStore) => Promise<void>) => void;

const HOSTILE = [
  ['', '/', '/a', 'a/', 'a//b', '.', '..', 'a/..', '../a', 'a/../b', './a', 'a/./b', '.hidden', 'a/.tmp'],
  [
    'a\0b',
    'a\nb',
    'a\\b',
    'a b',
    'ä',
    '🙂',
    'a%2fb',
    'a?b',
    'a#b',
    'C:x',
    'x'.repeat(300),
    'y/'.repeat(40) + 'y',
  ],
].flat();

export function conditions(holds: Holds): void {
  holds('create-if-absent stores once; a second object is refused and changes nothing', async (store) => {
    if (!store.capabilities.conditionalCreate) return await refusesCondition(store, { ifNoneMatch: '*' });
    const condition = { ifNoneMatch: '*' } as const;
    const etag = stored(await store.put('k', bodyOf(Uint8Array.of(1)), { condition, modifiedMs: 5_000 }));
    assert.deepEqual(await store.put('k', bodyOf(Uint8Array.of(2)), { condition }), { outcome: 'exists' });
    const object = await store.get('k');
    assert.deepEqual(object?.bytes, Uint8Array.of(1));
    assert.equal(object.etag, etag);
    assert.deepEqual(
      (await store.list('')).map(({ key }) => key),
      ['k'],
    );
  });
  holds(
    'of many who create one key at a time, exactly one stores, and its object is whole',
    async (store) => {
      if (!store.capabilities.conditionalCreate) return await refusesCondition(store, { ifNoneMatch: '*' });
      const bodies = Array.from({ length: 12 }, (_, i) => new Uint8Array(5_000 + i).fill(i + 1));
      const put = (body: Uint8Array): Promise<PutOutcome> =>
        store.put('race/k', bodyOf(body), { condition: { ifNoneMatch: '*' } });
      const outcomes = await Promise.all(bodies.map(put));
      const winners = bodies.filter((_, i) => outcomes[i]?.outcome === 'stored');
      assert.equal(winners.length, 1);
      assert.equal(outcomes.filter(({ outcome }) => outcome === 'exists').length, 11);
      assert.deepEqual((await store.get('race/k'))?.bytes, winners[0]);
    },
  );
  holds('a deleted key may be created again', async (store) => {
    if (!store.capabilities.conditionalCreate) return await refusesCondition(store, { ifNoneMatch: '*' });
    const condition = { ifNoneMatch: '*' } as const;
    stored(await store.put('k', bodyOf(Uint8Array.of(1)), { condition }));
    await store.delete(['k']);
    stored(await store.put('k', bodyOf(Uint8Array.of(2)), { condition }));
  });
}

export function swaps(holds: Holds): void {
  holds('compare-and-swap replaces the object with the ETag, and no other', async (store) => {
    if (!store.capabilities.compareAndSwap) return await refusesCondition(store, { ifMatch: '"x"' });
    const first = stored(await store.put('k', bodyOf(Uint8Array.of(1))));
    const second = stored(await store.put('k', bodyOf(Uint8Array.of(2)), { condition: { ifMatch: first } }));
    const late = await store.put('k', bodyOf(Uint8Array.of(3)), { condition: { ifMatch: first } });
    assert.deepEqual(late, { outcome: 'mismatch' });
    const object = await store.get('k');
    assert.deepEqual([object?.bytes, object?.etag], [Uint8Array.of(2), second]);
  });
  holds('compare-and-swap creates nothing', async (store) => {
    if (!store.capabilities.compareAndSwap) return await refusesCondition(store, { ifMatch: '"x"' });
    const outcome = await store.put('k', bodyOf(Uint8Array.of(1)), { condition: { ifMatch: '"x"' } });
    assert.deepEqual(outcome, { outcome: 'mismatch' });
    assert.equal(await store.get('k'), null);
  });
  holds('of many who swap from one ETag, exactly one stores', async (store) => {
    if (!store.capabilities.compareAndSwap) return await refusesCondition(store, { ifMatch: '"x"' });
    const ifMatch = stored(await store.put('k', bodyOf(Uint8Array.of(0))));
    const swap = (i: number): Promise<PutOutcome> =>
      store.put('k', bodyOf(Uint8Array.of(i)), { condition: { ifMatch } });
    const outcomes = await Promise.all([1, 2, 3, 4, 5, 6].map(swap));
    assert.equal(outcomes.filter(({ outcome }) => outcome === 'stored').length, 1);
    assert.equal(outcomes.filter(({ outcome }) => outcome === 'mismatch').length, 5);
  });
  holds('an ETag never comes back, whatever times and bodies the swaps have', async (store) => {
    if (!store.capabilities.compareAndSwap) return await refusesCondition(store, { ifMatch: '"x"' });
    const seen: string[] = [];
    let condition: { ifMatch: string } | undefined;
    for (let i = 0; i < 20; i++) {
      const outcome = await store.put('k', bodyOf(Uint8Array.of(i % 2)), {
        condition,
        modifiedMs: 1_000_000,
      });
      condition = { ifMatch: stored(outcome) };
      seen.push(condition.ifMatch);
    }
    assert.equal(new Set(seen).size, seen.length);
  });
}

export function deletions(holds: Holds): void {
  holds(
    'a deleted object is gone from every answer; deleting it again, or nothing, is done already',
    async (store) => {
      for (const key of ['a/1', 'a/2', 'a/3']) await store.put(key, bodyOf(Uint8Array.of(1)));
      await store.delete(['a/1', 'a/3', 'never/there']);
      await store.delete(['a/1']);
      await store.delete([]);
      assert.equal(await store.get('a/1'), null);
      assert.equal(await store.head('a/3'), null);
      assert.deepEqual(
        (await store.list('')).map(({ key }) => key),
        ['a/2'],
      );
    },
  );
}

export function refusals(holds: Holds): void {
  holds('hostile keys are refused by every method, and nothing happens', async (store) => {
    for (const key of HOSTILE) {
      await rejects(store.put(key, bodyOf(Uint8Array.of(1))), 'invalid', 'key-malformed');
      await rejects(store.get(key), 'invalid', 'key-malformed');
      await rejects(store.head(key), 'invalid', 'key-malformed');
      await rejects(store.delete(['fine', key]), 'invalid', 'key-malformed');
    }
    assert.deepEqual(await store.list(''), []);
  });
  holds('a put or get that is given up before it starts has no effect', async (store) => {
    const signal = AbortSignal.abort(new Error('enough'));
    await rejects(store.put('k', bodyOf(Uint8Array.of(1)), { signal }), 'unavailable', 'aborted');
    await rejects(store.get('k', undefined, signal), 'unavailable', 'aborted');
    assert.deepEqual(await store.list(''), []);
  });
}

async function refusesCondition(
  store: ObjectStore,
  condition: { ifNoneMatch: '*' } | { ifMatch: string },
): Promise<void> {
  await rejects(store.put('k', bodyOf(Uint8Array.of(1)), { condition }), 'invalid', 'store-condition');
  assert.equal(await store.get('k'), null);
}

/** The ETag of a put that stored. */
export function stored(outcome: PutOutcome): string {
  assert.ok(outcome.outcome === 'stored', `the put is ${outcome.outcome}`);
  return outcome.etag;
}

/** Asserts that `work` fails with a Fault of this kind and code. */
export async function rejects(
  work: Promise<unknown>,
  kind: 'invalid' | 'corrupt' | 'unavailable',
  code: string,
): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(isFault(error, kind), `a Fault of kind ${kind}: ${String(error)}`);
    assert.equal(error.code, code);
    return true;
  });
}
