/** Unit tests of the file store, on a model of a disk that forgets what was not fsynced. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { Disk, DiskStop } from '../../test/support/disk.ts';
import { bytesEqual } from '../base/bytes.ts';
import { Fault, isFault } from '../base/fault.ts';
import type { MonoMs, WallMs } from '../base/ids.ts';
import type { Chance, Clock } from '../base/ports.ts';
import { FileStore } from './file-store.ts';
import { bodyOf } from './object-store.ts';
import type { ObjectStore } from './object-store.ts';
import { runs } from '../../test/support/runs.ts';

const HOUR_MS = 3_600_000;
let nowMs = 1_764_000_000_000;
const clock: Clock = {
  wallMs: () => nowMs as WallMs,
  monoMs: () => 0 as MonoMs,
  sleep: async (ms) => void (nowMs += ms),
  yield: async () => {},
};
let nonces = 0;
const chance: Chance = { u32: () => ++nonces, bytes: (count) => new Uint8Array(count).fill(++nonces) };

function open(disk: Disk): FileStore {
  return new FileStore({ files: disk, clock, chance }, '/var/archive');
}

const CREATE = { condition: { ifNoneMatch: '*' } } as const;
const bytes = (...values: number[]): ReturnType<typeof bodyOf> => bodyOf(Uint8Array.from(values));

test('a put in a known directory is one write, one fsync, one link and one fsync of the names', async () => {
  const disk = new Disk();
  const store = open(disk);
  await store.put('ltx/0/a', bytes(1), CREATE);
  const from = disk.steps.length;
  await store.put('ltx/0/b', bytes(1), CREATE);
  const steps = disk.steps.slice(from).map((step) => step.replace(/\.millrace-.*/, 'TEMP'));
  const [dir, temp] = ['/var/archive/ltx/0', '/var/archive/ltx/0/TEMP'];
  const end = [`link ${dir}/b`, `remove ${temp}`, `fsyncDir ${dir}`];
  assert.deepEqual(steps, [`create ${temp}`, 'write', 'touch', 'fsync', ...end]);
});

test('after a power loss at any step, what was reported stored is there, and nothing is torn', async () => {
  let inFlight = 0;
  const holds = async (
    operations: readonly Operation[],
    stopAt: number,
    keeps: readonly boolean[],
  ): Promise<void> => {
    const disk = new Disk();
    disk.stopAt = stopAt;
    const { reported, gone, attempted, open: unknown } = await perform(open(disk), operations);
    if (unknown !== null) inFlight++;
    disk.loseAll(cycle(keeps));
    const store = open(disk);
    for (const [key, body] of reported) {
      if (key === unknown) continue;
      assert.deepEqual((await store.get(key))?.bytes, body, `${key}, reported as stored`);
    }
    for (const key of gone)
      assert.ok(key === unknown || (await store.get(key)) === null, `${key}, reported as deleted`);
    for (const { key } of await store.list('')) {
      const found = (await store.get(key))?.bytes ?? assert.fail('it was listed');
      assert.ok(
        attempted.some((body) => bytesEqual(body, found)),
        `${key} is torn`,
      );
    }
  };
  const property = fc.asyncProperty(operationsArbitrary, fc.nat(60), keepsArbitrary, holds);
  await fc.assert(property, { numRuns: runs(500) });
  assert.ok(inFlight > 50, `stopped in the middle of an operation: ${inFlight} times`);
});

test('what another process sees of a writer that died is durable as soon as it is reported', async () => {
  let seen = 0;
  const holds = async (stopAt: number, how: number, keeps: readonly boolean[]): Promise<void> => {
    const disk = new Disk();
    disk.stopAt = stopAt;
    await perform(open(disk), [{ kind: 'create', key: 'ltx/0/a', body: Uint8Array.of(1, 2) }]);
    disk.restart();
    const reader = open(disk);
    const isThere = await [
      async () => (await reader.list('')).length === 1,
      async () => (await reader.head('ltx/0/a')) !== null,
      async () => (await reader.get('ltx/0/a')) !== null,
      async () => (await reader.put('ltx/0/a', bytes(9), CREATE)).outcome === 'exists',
    ][how]?.();
    if (isThere === true) seen++;
    disk.loseAll(cycle(keeps));
    if (isThere === true) assert.deepEqual((await open(disk).get('ltx/0/a'))?.bytes, Uint8Array.of(1, 2));
  };
  await fc.assert(fc.asyncProperty(fc.nat(30), fc.nat(3), keepsArbitrary, holds), { numRuns: runs(500) });
  assert.ok(seen > 20, `seen before it was reported: ${seen} times`);
});

test('a writer that finds directories half made by one that died makes them durable', async () => {
  const holds = async (stopAt: number): Promise<void> => {
    const disk = new Disk();
    disk.stopAt = stopAt;
    await perform(open(disk), [{ kind: 'create', key: 'ltx/0/a', body: Uint8Array.of(1) }]);
    disk.restart();
    assert.equal((await open(disk).put('ltx/0/b', bytes(2), CREATE)).outcome, 'stored');
    disk.loseAll(() => false);
    assert.deepEqual((await open(disk).get('ltx/0/b'))?.bytes, Uint8Array.of(2));
  };
  for (let stopAt = 0; stopAt <= 20; stopAt++) await holds(stopAt);
});

test('what dead writers left is swept by the next writer after an hour, and by no reader', async () => {
  const operations: readonly Operation[] = [{ kind: 'create', key: 'k', body: Uint8Array.of(1) }];
  const rehearsal = new Disk();
  await perform(open(rehearsal), operations);
  const disk = new Disk();
  disk.stopAt = rehearsal.steps.findIndex((step) => step.startsWith('link'));
  await perform(open(disk), operations);
  const temps = (): string[] => [...disk.seen.keys()].filter((path) => path.endsWith('.tmp'));
  assert.equal(temps().length, 1);
  disk.restart();
  await open(disk).put('young', bytes(1), CREATE);
  assert.equal(temps().length, 1, 'its writer may be alive');
  nowMs += HOUR_MS + 1;
  const from = disk.steps.length;
  assert.deepEqual(
    (await open(disk).list('')).map(({ key }) => key),
    ['young'],
  );
  assert.ok(
    disk.steps.slice(from).every((step) => step.startsWith('fsyncDir')),
    'a reader changes nothing',
  );
  await open(disk).put('old', bytes(1), CREATE);
  assert.deepEqual(temps(), []);
});

test('a put that fails leaves nothing behind', async () => {
  for (const step of [/^write/, /^fsync$/, /^link/, /^rename/]) {
    const disk = new Disk();
    const store = open(disk);
    await store.put('ltx/0/a', bytes(1), CREATE);
    const before = [...disk.seen.keys()];
    disk.failAt = { step, fault: new Fault('unavailable', 'disk-full', 'no space left') };
    const put = store.put('ltx/0/b', bytes(1), String(step) === '/^rename/' ? {} : CREATE);
    await assert.rejects(put, (error) => isFault(error, 'unavailable') && error.code === 'disk-full');
    assert.deepEqual([...disk.seen.keys()], before);
  }
});

test('a file system without hard links is refused by name', async () => {
  const disk = new Disk();
  const fault = new Fault('invalid', 'file-forbidden', 'cannot link', { details: { system: 'EPERM' } });
  disk.failAt = { step: /^link/, fault };
  const isRefusal = (error: unknown): boolean => isFault(error, 'invalid') && error.code === 'store-links';
  await assert.rejects(open(disk).put('k', bytes(1), CREATE), isRefusal);
});

test('a directory that was removed under a running writer is made again', async () => {
  const disk = new Disk();
  const store = open(disk);
  await store.put('ltx/0/a', bytes(1), CREATE);
  for (const path of ['/var/archive/ltx/0/a', '/var/archive/ltx/0', '/var/archive/ltx'])
    disk.seen.delete(path);
  assert.equal((await store.put('ltx/0/b', bytes(2), CREATE)).outcome, 'stored');
  disk.loseAll(() => false);
  assert.deepEqual((await open(disk).get('ltx/0/b'))?.bytes, Uint8Array.of(2));
});

test('a root that vanished is never made again, and one that comes back is the store again', async () => {
  for (const use of ['put', 'list'] as const) {
    const disk = new Disk();
    await open(disk).put('ltx/0/a', bytes(1), CREATE);
    const store = open(disk);
    if (use === 'put') await store.put('ltx/0/b', bytes(1), CREATE);
    else await store.list('');
    const mounted = new Map(disk.seen);
    const isBelow = (path: string): boolean => path.startsWith('/var/archive');
    for (const path of mounted.keys()) if (isBelow(path)) disk.seen.delete(path);
    const isRefusal = (error: unknown): boolean =>
      isFault(error, 'unavailable') && error.code === 'store-vanished';
    await assert.rejects(store.put('ltx/0/c', bytes(2), CREATE), isRefusal);
    await disk.mkdir('/var/archive/ltx/0');
    await assert.rejects(
      store.put('ltx/0/c', bytes(2), CREATE),
      isRefusal,
      'the mount point is not the disk',
    );
    disk.seen = mounted;
    assert.equal((await store.put('ltx/0/c', bytes(2), CREATE)).outcome, 'stored');
  }
});

test('compare-and-swap waits for its lock for a time, then says who stands in the way', async () => {
  const disk = new Disk();
  const store = open(disk);
  await store.put('k', bytes(1));
  const { etag } = (await store.head('k')) ?? assert.fail('it is there');
  const lock = disk.lock('/var/archive/.millrace-lock');
  const swap = { condition: { ifMatch: etag } };
  const isRefusal = (error: unknown): boolean =>
    isFault(error, 'unavailable') && error.code === 'store-locked';
  await assert.rejects(store.put('k', bytes(2), swap), isRefusal);
  lock?.close();
  assert.equal((await store.put('k', bytes(2), swap)).outcome, 'stored');
});

interface Operation {
  readonly kind: 'create' | 'replace' | 'swap' | 'delete';
  readonly key: string;
  readonly body: Uint8Array;
}

const operationsArbitrary = fc.array(
  fc.record<Operation>({
    kind: fc.constantFrom('create', 'create', 'replace', 'swap', 'delete'),
    key: fc.constantFrom('ltx/0/a', 'ltx/0/b', 'ltx/1/a', 'k'),
    body: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  }),
  { minLength: 1, maxLength: 8 },
);
const keepsArbitrary = fc.array(fc.boolean(), { minLength: 1, maxLength: 24 });

function cycle(values: readonly boolean[]): () => boolean {
  let at = 0;
  return () => values[at++ % values.length] ?? false;
}

/**
 * Performs operations until the disk stops; says what was reported, all that was tried, and the key left
 * open.
 */
async function perform(
  store: ObjectStore,
  operations: readonly Operation[],
): Promise<{
  reported: Map<string, Uint8Array>;
  gone: Set<string>;
  attempted: Uint8Array[];
  open: string | null;
}> {
  const reported = new Map<string, Uint8Array>();
  const gone = new Set<string>();
  const attempted: Uint8Array[] = [];
  for (const { kind, key, body } of operations) {
    attempted.push(body);
    try {
      const etag = kind === 'swap' ? (await store.head(key))?.etag : undefined;
      const condition =
        kind === 'create' ? CREATE.condition : etag === undefined ? undefined : { ifMatch: etag };
      if (kind === 'delete') await store.delete([key]);
      else if ((await store.put(key, bodyOf(body), { condition })).outcome === 'exists') continue;
      if (kind === 'delete') {
        reported.delete(key);
        gone.add(key);
        continue;
      }
      reported.set(key, body);
      gone.delete(key);
    } catch (error) {
      if (!(error instanceof DiskStop)) throw error;
      return { reported, gone, attempted, open: key };
    }
  }
  return { reported, gone, attempted, open: null };
}
