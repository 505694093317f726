/** Unit tests of the faulty store: each fault is what it says. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isFault } from '../base/fault.ts';
import type { MonoMs, WallMs } from '../base/ids.ts';
import type { Chance, Clock } from '../base/ports.ts';
import { FaultyStore, NO_FAULTS } from './faulty-store.ts';
import type { StoreFaults } from './faulty-store.ts';
import { MemoryStore } from './memory-store.ts';
import { bodyOf } from './object-store.ts';

/** A clock whose sleeps end when `pass` is called, and a chance of a fixed seed. */
function world(faults: Partial<StoreFaults>): {
  store: FaultyStore;
  inner: MemoryStore;
  pass: () => void;
  slept: number[];
} {
  const sleepers: (() => void)[] = [];
  const slept: number[] = [];
  const clock: Clock = {
    wallMs: () => 0 as WallMs,
    monoMs: () => 0 as MonoMs,
    async sleep(ms) {
      slept.push(ms);
      await new Promise<void>((resolve) => sleepers.push(resolve));
    },
    yield: async () => {},
  };
  let state = 1;
  const u32 = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const chance: Chance = { u32, bytes: (count) => new Uint8Array(count) };
  const inner = new MemoryStore(clock);
  const pass = (): void => {
    for (const wake of sleepers.splice(0)) wake();
  };
  return { store: new FaultyStore(inner, clock, chance, faults), inner, pass, slept };
}

const body = bodyOf(Uint8Array.of(1, 2, 3));

async function fails(work: Promise<unknown>, kind: 'unavailable' | 'invalid', code: string): Promise<void> {
  await assert.rejects(work, (error) => isFault(error, kind) && error.code === code);
}

test('an unavailable store has had no effect', async () => {
  const { store, inner } = world({ unavailable: 1 });
  await fails(store.put('k', body), 'unavailable', 'store-unavailable');
  assert.equal(await inner.get('k'), null);
  await fails(store.get('k'), 'unavailable', 'store-unavailable');
  assert.equal(store.counts.unavailable, 2);
});

test('a put whose answer is lost has happened', async () => {
  const { store, inner } = world({ lostAnswer: 1 });
  await fails(store.put('k', body), 'unavailable', 'store-timeout');
  assert.ok((await inner.get('k')) !== null);
});

test('a late put fails first and happens afterwards, even over what was put meanwhile', async () => {
  const { store, inner, pass, slept } = world({ late: 1, lateMaxMs: 900_000 });
  await fails(store.put('k', body), 'unavailable', 'store-timeout');
  assert.equal(await inner.get('k'), null);
  store.faults = NO_FAULTS;
  await store.put('k', bodyOf(Uint8Array.of(9)));
  pass();
  await store.settle();
  assert.deepEqual((await inner.get('k'))?.bytes, Uint8Array.of(1, 2, 3));
  assert.ok(slept.every((ms) => ms >= 0 && ms <= 900_000));
});

test('a body cut off on its way is a Fault, never fewer bytes', async () => {
  const { store, inner } = world({ bodyShort: 1 });
  await inner.put('k', body);
  await fails(store.get('k'), 'unavailable', 'body-short');
  await fails(store.get('k', { offset: 1, length: 1 }), 'unavailable', 'body-short');
  assert.equal(await store.get('absent'), null);
});

test('a stale listing is one of before', async () => {
  const { store, inner } = world({ listStale: 1 });
  await inner.put('a', body);
  assert.equal((await store.list('')).length, 1);
  await inner.put('b', body);
  assert.equal((await store.list('')).length, 1);
  assert.deepEqual(await store.list('', 'a'), []);
  store.faults = NO_FAULTS;
  assert.equal((await store.list('')).length, 2);
});

test('a read-only store refuses puts and deletes, and reads', async () => {
  const { store, inner } = world({ isReadOnly: true });
  await inner.put('k', body);
  await fails(store.put('k', body), 'invalid', 'store-forbidden');
  await fails(store.delete(['k']), 'invalid', 'store-forbidden');
  assert.ok((await store.get('k')) !== null);
});

test('latency comes before and after the effect, within its bounds', async () => {
  const { store, inner, pass, slept } = world({ latencyMinMs: 10, latencyMaxMs: 20 });
  const put = store.put('k', body);
  assert.equal(await inner.get('k'), null);
  pass();
  while ((await inner.get('k')) === null) await Promise.resolve();
  while (slept.length < 2) await Promise.resolve();
  pass();
  assert.equal((await put).outcome, 'stored');
  assert.ok(slept.every((ms) => ms >= 10 && ms < 20));
});

test('a request that is given up while it waits has no effect', async () => {
  const { store, inner, pass } = world({ latencyMinMs: 10, latencyMaxMs: 20 });
  const controller = new AbortController();
  const put = store.put('k', body, { signal: controller.signal });
  controller.abort();
  pass();
  await fails(put, 'unavailable', 'aborted');
  assert.equal(await inner.get('k'), null);
});

test('faults come as often as their probability says', async () => {
  const { store } = world({ unavailable: 0.25 });
  for (let i = 0; i < 1_000; i++) await store.head('k').catch(() => {});
  assert.ok(store.counts.unavailable > 200 && store.counts.unavailable < 300, `${store.counts.unavailable}`);
});
