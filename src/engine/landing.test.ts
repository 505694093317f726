import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { SimWorld } from '../../sim/world/world.ts';
import type { SimMachine } from '../../sim/world/world.ts';
import type { SqliteApplication } from '../../sim/world/database.ts';
import { bytesEqual, concat } from '../base/bytes.ts';
import { isFault } from '../base/fault.ts';
import { Landing, targetCheck } from './landing.ts';
import { runs } from '../../test/support/runs.ts';

const TARGET = '/data/app.db';
const WHOLE = Uint8Array.from({ length: 4_096 }, (_, i) => (i * 7) & 0xff);

function faultOf(kind: string, code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isFault(error), String(error));
    assert.deepEqual([error.kind, error.code], [kind, code], error.message);
    return true;
  };
}

async function land(machine: SimMachine, force: boolean): Promise<void> {
  await using landing = await Landing.open(machine, TARGET, WHOLE.length, { force });
  landing.write(WHOLE.subarray(2_048), 2_048);
  landing.write(WHOLE.subarray(0, 2_048), 0);
  await landing.land();
}

function contentOf(machine: SimMachine): Uint8Array | null {
  const stat = machine.files.stat(TARGET);
  if (stat === null) return null;
  const fd = machine.files.open(TARGET, 'read');
  const bytes = new Uint8Array(stat.size);
  machine.files.read(fd, bytes, 0);
  machine.files.close(fd);
  return bytes;
}

function put(machine: SimMachine, path: string, bytes: Uint8Array): void {
  const fd = machine.files.open(path, 'create');
  machine.files.write(fd, bytes, 0);
  machine.files.close(fd);
}

function names(machine: SimMachine): readonly string[] {
  return machine.files.list('/data') ?? [];
}

/** An application that was killed: its newest commits are in the log only. */
function deadApplication(world: SimWorld): SqliteApplication {
  const app = world.application(TARGET);
  app.commit({ pages: [1, 2, 6] });
  app.commit({ pages: [3] });
  app.crash();
  return app;
}

test('a file lands under the name of the target, and nothing else is left', async () => {
  const world = new SimWorld(1);
  const machine = world.machine(world.process('restore'));
  await world.run(land(machine, false));
  assert.deepEqual(contentOf(machine), WHOLE);
  assert.deepEqual(names(machine), ['app.db']);
});

test('what is disposed of without landing leaves nothing', async () => {
  const world = new SimWorld(1);
  const machine = world.machine(world.process('restore'));
  const begin = async (): Promise<void> => {
    await using landing = await Landing.open(machine, TARGET, 100, { force: false });
    landing.write(WHOLE.subarray(0, 10), 0);
  };
  await world.run(begin());
  assert.deepEqual(names(machine), []);
});

test('without force no database is replaced, no sidecars, and nothing that came meanwhile', async () => {
  const world = new SimWorld(1);
  const machine = world.machine(world.process('restore'));
  const begin = Landing.open(machine, TARGET, 100, { force: false });
  const landing = await world.run(begin);
  put(machine, TARGET, WHOLE);
  await assert.rejects(world.run(landing.land()), faultOf('invalid', 'target-exists'));
  await landing[Symbol.asyncDispose]();
  assert.deepEqual(names(machine), ['app.db']);
  assert.throws(() => targetCheck(machine, TARGET, false), faultOf('invalid', 'target-exists'));
  machine.files.rename(TARGET, `${TARGET}-wal`);
  assert.throws(() => targetCheck(machine, TARGET, false), faultOf('invalid', 'target-exists'));
  targetCheck(machine, TARGET, true);
});

test('an empty file is no database: it is replaced without force', async () => {
  const world = new SimWorld(1);
  const machine = world.machine(world.process('restore'));
  await world.run(machine.files.mkdir('/data'));
  put(machine, TARGET, new Uint8Array(0));
  await world.run(land(machine, false));
  assert.deepEqual(contentOf(machine), WHOLE);
});

test('a database that is in use is not replaced, even with force', async () => {
  const world = new SimWorld(1);
  const app = world.application(TARGET);
  const machine = world.machine(world.process('restore'));
  assert.throws(() => targetCheck(machine, TARGET, true), faultOf('conflict', 'target-in-use'));
  app.crash();
  targetCheck(machine, TARGET, true);
  const opened = await world.run(Landing.open(machine, TARGET, 100, { force: true }));
  app.open();
  await assert.rejects(world.run(opened.land()), faultOf('conflict', 'target-in-use'));
  await opened[Symbol.asyncDispose]();
  assert.ok(app.isOpen);
  assert.ok(!names(machine).some((name) => name.endsWith('.restoring')));
});

test('with force the old database goes with its sidecars, and its owner stays', async () => {
  const world = new SimWorld(1);
  deadApplication(world);
  const machine = world.machine(world.process('restore'));
  assert.ok(names(machine).includes('app.db-wal'));
  await world.run(land(machine, true));
  assert.deepEqual(contentOf(machine), WHOLE);
  assert.deepEqual(names(machine), ['app.db']);
  assert.equal(machine.files.stat(TARGET)!.mode & 0o777, 0o644);
});

test('a file that is no database is replaced with force, and stale sidecars go first', async () => {
  const world = new SimWorld(1);
  const process = world.process('restore');
  const machine = world.machine(process);
  await world.run(machine.files.mkdir('/data'));
  for (const suffix of ['', '-wal', '-shm', '-journal']) put(machine, TARGET + suffix, WHOLE.subarray(0, 99));
  const changes: string[] = [];
  process.phaseOf = (call, detail) => {
    if (/rename|remove|fsyncDir/.test(call)) changes.push(`${call} ${detail}`);
    return call;
  };
  await world.run(land(machine, true));
  assert.deepEqual(names(machine), ['app.db']);
  const rename = changes.findIndex((change) => change.includes('rename'));
  const durable = changes.slice(0, rename).findLastIndex((change) => change.includes('fsyncDir'));
  for (const suffix of ['-wal', '-shm', '-journal']) {
    const removed = changes.findIndex(
      (change) => change.endsWith(`remove ${TARGET}${suffix}`) || change.includes(`app.db${suffix}`),
    );
    assert.ok(removed >= 0 && removed < durable && durable < rename, changes.join('\n'));
  }
});

test('killed at any call, it leaves the old database or the restored one, whole', async () => {
  const seen = { old: 0, restored: 0, done: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.integer({ min: 1, max: 40 }),
      fc.boolean(),
      async (seed, count, powerFails) => {
        const world = new SimWorld(seed);
        const app = deadApplication(world);
        const old = concat(app.history.head.pages);
        const process = world.process('restore');
        process.phaseOf = () => 'any';
        process.plan = { phase: 'any', count, afterMs: 0 };
        const machine = world.machine(process);
        try {
          await world.run(Promise.race([land(machine, true), world.clock.wait(60_000)]));
          seen.done++;
        } catch (error) {
          if (process.isAlive) throw error;
        }
        if (powerFails) world.losePower();
        else process.kill();
        // What SQLite makes of what is there.
        const after = world.machine(world.process('after'));
        assert.ok(after.databases.settle(TARGET));
        const content = contentOf(after)!;
        const isRestored = bytesEqual(content, WHOLE);
        if (!isRestored) assert.deepEqual(content, old);
        seen[isRestored ? 'restored' : 'old']++;
      },
    ),
    { numRuns: runs(300) },
  );
  assert.ok(seen.old > 20 && seen.restored > 20 && seen.done < (runs(300) * 2) / 3, JSON.stringify(seen));
});

test('what a killed restore left is removed by a later one, once nobody can be writing it', async () => {
  const world = new SimWorld(1);
  const machine = world.machine(world.process('restore'));
  await world.run(machine.files.mkdir('/data'));
  put(machine, '/data/.app.db.0123456789abcdef.restoring', WHOLE);
  put(machine, '/data/.other.db.0123456789abcdef.restoring', WHOLE);
  await world.run(land(machine, false));
  assert.ok(names(machine).includes('.app.db.0123456789abcdef.restoring'));
  world.clock.jumpWall(2 * 3_600_000);
  await world.run(land(machine, true));
  assert.deepEqual(names(machine), ['.other.db.0123456789abcdef.restoring', 'app.db']);
});

test('a directory is no target', async () => {
  const world = new SimWorld(1);
  const machine = world.machine(world.process('restore'));
  await world.run(machine.files.mkdir(TARGET));
  assert.throws(() => targetCheck(machine, TARGET, true), faultOf('invalid', 'target-not-a-file'));
});
