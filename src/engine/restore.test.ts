import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { SimWorld } from '../../sim/world/world.ts';
import type { SimMachine } from '../../sim/world/world.ts';
import { archiveBuild, imageOf } from '../../test/support/archive-builder.ts';
import type { BuildOptions, State } from '../../test/support/archive-builder.ts';
import { anyMerges, anySteps, filesOf, statesOf } from '../../test/support/states.ts';
import type { Step } from '../../test/support/states.ts';
import { must } from '../base/assert.ts';
import { Fault, isFault } from '../base/fault.ts';
import { txid } from '../base/ids.ts';
import type { WallMs } from '../base/ids.ts';
import { MemoryStore } from '../storage/memory-store.ts';
import { bodyOf } from '../storage/object-store.ts';
import { jobs } from './jobs.ts';
import { restore } from './restore.ts';
import type { RestoreOptions, RestoreReport } from './restore.ts';
import type { Archive } from '../storage/archive.ts';
import { runs } from '../../test/support/runs.ts';

const PAGE_SIZE = 512;
const TARGET = '/data/app.db';

interface Rig {
  readonly world: SimWorld;
  readonly machine: SimMachine;
  readonly store: MemoryStore;
  readonly archive: Archive;
  restore(options?: Partial<RestoreOptions>): Promise<RestoreReport>;
}

async function rigOf(states: readonly State[], options: Partial<BuildOptions> = {}, seed = 1): Promise<Rig> {
  const world = new SimWorld(seed);
  const process = world.process('restore');
  const machine = world.machine(process);
  const pool = world.pool(process, jobs);
  const store = new MemoryStore(machine.clock);
  const archive = await archiveBuild(store, states, { pageSize: PAGE_SIZE, ...options });
  return {
    world,
    machine,
    store,
    archive,
    restore: (how = {}) => world.run(restore(machine, pool, archive, { to: TARGET, ...how })),
  };
}

function contentOf({ machine }: Pick<Rig, 'machine'>, path: string = TARGET): Uint8Array | null {
  const stat = machine.files.stat(path);
  if (stat === null) return null;
  const fd = machine.files.open(path, 'read');
  const bytes = new Uint8Array(stat.size);
  machine.files.read(fd, bytes, 0);
  machine.files.close(fd);
  return bytes;
}

function faultOf(kind: string, code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isFault(error), String(error));
    assert.deepEqual([error.kind, error.code], [kind, code], error.message);
    return true;
  };
}

function namesAt({ machine }: Pick<Rig, 'machine'>): readonly string[] {
  return machine.files.list('/data') ?? [];
}

const STEPS: readonly Step[] = [
  { size: 6, changes: [] },
  { size: 9, changes: [1, 3] },
  { size: 4, changes: [2] },
  { size: 12, changes: [1] },
  { size: 12, changes: [5, 12] },
];
const STATES = statesOf(STEPS, PAGE_SIZE);

test('every TXID restores to the state that its transactions leave, whatever was compacted', async () => {
  await fc.assert(
    fc.asyncProperty(anySteps, anyMerges, fc.boolean(), fc.nat(), async (walk, wanted, hasRolling, pick) => {
      const states = statesOf(walk, PAGE_SIZE);
      const files = filesOf(wanted, states.length);
      const rig = await rigOf(states, { files, hasRolling: () => hasRolling });
      const n = (pick % states.length) + 1;
      const report = await rig.restore({ target: { kind: 'txid', txid: txid(n) } });
      assert.ok(report.outcome === 'restored');
      assert.equal(report.proof, hasRolling ? 'rolling' : 'files');
      assert.deepEqual(contentOf(rig), imageOf(states[n - 1] as State));
      assert.deepEqual(namesAt(rig), ['app.db']);
    }),
    { numRuns: runs(200) },
  );
});

test('a flipped bit is detected and named, or does no harm', async () => {
  const classes = { named: 0, healed: 0, unread: 0 };
  await fc.assert(
    fc.asyncProperty(
      anySteps,
      anyMerges,
      fc.boolean(),
      fc.nat(),
      fc.nat(),
      fc.nat(7),
      async (walk, wanted, hasRolling, ...at) => {
        const [pickFile, pickByte, bit] = at;
        const states = statesOf(walk, PAGE_SIZE);
        const rig = await rigOf(states, {
          files: filesOf(wanted, states.length),
          hasRolling: () => hasRolling,
        });
        const planned = await rig.restore({ dryRun: true });
        const victim = planned.plan.files[pickFile % planned.plan.files.length]!;
        const bytes = (await rig.store.get(victim.key))!.bytes;
        bytes[pickByte % bytes.length]! ^= 1 << bit;
        await rig.store.put(victim.key, bodyOf(bytes));
        try {
          const report = await rig.restore();
          assert.ok(report.outcome === 'restored');
          assert.deepEqual(contentOf(rig), imageOf(must(states.at(-1), 'there is a state')));
          if (report.damaged.length > 0) {
            assert.deepEqual(report.damaged, [victim.key]);
            classes.healed++;
          } else classes.unread++;
        } catch (error) {
          assert.ok(isFault(error, 'corrupt'), String(error));
          assert.equal(error.details['key'], victim.key);
          assert.deepEqual(namesAt(rig), []);
          classes.named++;
        }
      },
    ),
    { numRuns: runs(300) },
  );
  assert.ok(classes.named > 0 && classes.healed > 0, JSON.stringify(classes));
  // Small files are read whole: only a flip that LZ4 does not mind may pass.
  assert.ok(classes.unread <= runs(300) / 25, JSON.stringify(classes));
});

test('a truncated or empty object is detected and named', async () => {
  for (const size of [0, 1, 99, 100, 130, 131, 200]) {
    const rig = await rigOf(STATES);
    const [first] = await rig.archive.list(0);
    const { bytes } = (await rig.store.get(first!.key))!;
    await rig.store.put(first!.key, bodyOf(bytes.subarray(0, size)));
    await assert.rejects(
      rig.restore(),
      (error) => isFault(error, 'corrupt') && error.details['key'] === first!.key,
    );
    assert.deepEqual(namesAt(rig), []);
  }
});

test('where another chain leads to the same TXID, a damaged object is reported and made up for', async () => {
  const rig = await rigOf(STATES, {
    files: [
      { level: 9, min: 1, max: 4 },
      { level: 1, min: 1, max: 3 },
    ],
  });
  const snapshot = (await rig.archive.list(9))[0]!;
  await rig.store.put(snapshot.key, bodyOf(new Uint8Array(snapshot.size)));
  const report = await rig.restore();
  assert.ok(report.outcome === 'restored');
  assert.deepEqual(report.damaged, [snapshot.key]);
  assert.deepEqual(contentOf(rig), imageOf(STATES[4]!));
});

test('where no other chain does, the Fault names the object and what can be restored', async () => {
  const rig = await rigOf(STATES);
  const last = (await rig.archive.list(0)).at(-1)!;
  await rig.store.put(last.key, bodyOf(new Uint8Array(last.size)));
  await assert.rejects(rig.restore(), (error) => {
    assert.ok(isFault(error, 'corrupt'));
    assert.equal(error.details['key'], last.key);
    assert.equal(error.details['alternative'], '0000000000000004');
    return true;
  });
});

test('an object that vanishes while it is restored leads to another plan', async () => {
  const rig = await rigOf(STATES, { files: [{ level: 1, min: 2, max: 3 }] });
  const [merged] = await rig.archive.list(1);
  let isGone = false;
  const get = rig.store.get.bind(rig.store);
  rig.store.get = async (key, range, signal) => {
    if (key === merged!.key && !isGone) {
      isGone = true;
      await rig.store.delete([key]);
    }
    return await get(key, range, signal);
  };
  const report = await rig.restore();
  assert.ok(isGone && report.outcome === 'restored');
  assert.equal(report.plan.files.length, 5);
  assert.deepEqual(contentOf(rig), imageOf(STATES[4]!));
});

test('objects that keep vanishing end the restore after a bounded number of plans', async () => {
  const rig = await rigOf(STATES);
  let gets = 0;
  rig.store.get = async () => {
    gets++;
    return null;
  };
  await assert.rejects(rig.restore(), faultOf('unavailable', 'object-vanished'));
  assert.ok(gets <= 5 * STATES.length, `${gets} reads`);
  assert.deepEqual(namesAt(rig), []);
});

test('an unavailable store is asked again', async () => {
  const rig = await rigOf(STATES);
  const get = rig.store.get.bind(rig.store);
  let calls = 0;
  rig.store.get = async (key, range, signal) => {
    if (++calls % 2 === 1) throw new Fault('unavailable', 'store-unavailable', 'try again');
    return await get(key, range, signal);
  };
  await rig.restore();
  assert.deepEqual(contentOf(rig), imageOf(STATES[4]!));
});

test('a worker that dies costs nothing but time', async () => {
  const large = statesOf([{ size: 400, changes: [] }], PAGE_SIZE);
  const world = new SimWorld(3);
  const process = world.process('restore');
  const machine = world.machine(process);
  const pool = world.pool(process, jobs);
  pool.diesNext = true;
  const archive = await archiveBuild(new MemoryStore(machine.clock), large, { pageSize: PAGE_SIZE });
  await world.run(restore(machine, pool, archive, { to: TARGET }));
  assert.equal(pool.diesNext, false);
  assert.deepEqual(contentOf({ machine }), imageOf(large[0]!));
});

test('a time restores the newest TXID that was sealed by then', async () => {
  const rig = await rigOf(STATES, { files: [{ level: 9, min: 1, max: 3 }], timestampMs: (n) => n * 1_000 });
  const at = async (wallMs: number): Promise<RestoreReport> =>
    await rig.restore({ dryRun: true, target: { kind: 'time', wallMs: wallMs as WallMs } });
  assert.equal((await at(3_000)).plan.txid, 3n);
  assert.equal((await at(3_999)).plan.txid, 3n);
  assert.equal((await at(99_000)).plan.txid, 5n);
  await assert.rejects(at(999), faultOf('invalid', 'time-outside-archive'));
});

test('progress ends at the size of the database', async () => {
  const rig = await rigOf(STATES);
  const phases: string[] = [];
  await rig.restore({
    onProgress: ({ phase, bytesDone, bytesTotal }) => {
      if (phases.at(-1) !== phase) phases.push(phase);
      assert.ok(bytesDone <= bytesTotal);
      if (phase === 'land') assert.equal(bytesDone, 12 * PAGE_SIZE);
    },
  });
  assert.deepEqual(phases, ['plan', 'index', 'pages', 'land']);
});

test('an abort leaves nothing, at whichever read it comes', async () => {
  for (let at = 1; at <= 5; at++) {
    const rig = await rigOf(STATES);
    const controller = new AbortController();
    const get = rig.store.get.bind(rig.store);
    let calls = 0;
    rig.store.get = async (key, range, signal) => {
      if (++calls === at) controller.abort();
      return await get(key, range, signal);
    };
    await assert.rejects(rig.restore({ signal: controller.signal }), faultOf('unavailable', 'aborted'));
    assert.deepEqual(namesAt(rig), []);
  }
});

test('a disk that fails leaves nothing', async () => {
  for (const faults of [
    { fsyncFails: 0, writeFails: 1 },
    { fsyncFails: 1, writeFails: 0 },
  ]) {
    const rig = await rigOf(STATES);
    rig.machine.files.faults = faults;
    await assert.rejects(rig.restore(), faultOf('unavailable', 'disk-error'));
    assert.deepEqual(namesAt(rig), []);
  }
});

test('a disk without room is refused before anything is fetched', async () => {
  const rig = await rigOf(STATES);
  rig.world.disk.capacityBytes = 12 * PAGE_SIZE - 1;
  await assert.rejects(rig.restore(), faultOf('unavailable', 'target-space'));
  assert.deepEqual(namesAt(rig), []);
});

test('an existing database is replaced only with force', async () => {
  const rig = await rigOf(STATES);
  await rig.restore({ target: { kind: 'txid', txid: txid(1) } });
  await assert.rejects(rig.restore(), faultOf('invalid', 'target-exists'));
  assert.deepEqual(contentOf(rig), imageOf(STATES[0]!));
  await rig.restore({ force: true });
  assert.deepEqual(contentOf(rig), imageOf(STATES[4]!));
});

test('two files that contradict each other are detected though each is whole', async () => {
  const rig = await rigOf(STATES);
  const others = statesOf(
    STEPS.map(({ size, changes }) => ({ size, changes: [...changes, 4] })),
    PAGE_SIZE,
  );
  const foreign = await archiveBuild(new MemoryStore(rig.machine.clock), others, { pageSize: PAGE_SIZE });
  const [, second] = await foreign.list(0);
  const bytes = await foreign.read(second!);
  await rig.store.put(second!.key, bodyOf(bytes));
  await assert.rejects(rig.restore(), faultOf('corrupt', 'ltx-chain'));
  assert.deepEqual(namesAt(rig), []);
});
