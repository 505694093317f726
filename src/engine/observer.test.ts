import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { CaptureRig } from '../../test/support/capture-rig.ts';
import { runs } from '../../test/support/runs.ts';

type Action =
  | { readonly do: 'commit'; readonly pages: readonly number[]; readonly size: number }
  | {
      readonly do:
        | 'grow'
        | 'shrink'
        | 'spill'
        | 'rollback'
        | 'ghost'
        | 'padded'
        | 'fresh'
        | 'pass'
        | 'restart';
    }
  | { readonly do: 'checkpoint'; readonly mode: 'passive' | 'full' | 'restart' | 'truncate' };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      pages: fc.array(fc.integer({ min: 2, max: 6 }), { minLength: 1, maxLength: 4 }),
      size: fc.integer({ min: 6, max: 9 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'grow' as const,
        'shrink' as const,
        'spill' as const,
        'rollback' as const,
        'ghost' as const,
        'padded' as const,
        'fresh' as const,
        'restart' as const,
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('checkpoint' as const),
      mode: fc.constantFrom('passive' as const, 'full' as const, 'restart' as const, 'truncate' as const),
    }),
  },
);

function act(rig: CaptureRig, what: Action): void {
  const { app } = rig;
  switch (what.do) {
    case 'commit':
      app.commit({ pages: what.pages, size: what.size });
      return;
    case 'grow':
      app.commit({ pages: [2], unwritten: [app.state.pages.length + 1] });
      return;
    case 'shrink':
      app.commit({ pages: [2], size: Math.max(6, app.state.pages.length - 2) });
      return;
    case 'spill':
      app.spillThenShrink(6);
      return;
    case 'rollback':
      app.rollback({ pages: [3], spill: [[4, 5]] });
      return;
    case 'ghost':
      app.ghost({ pages: [3] });
      return;
    case 'padded':
      app.commitPadded({ pages: [4] });
      return;
    case 'fresh':
      app.freshConnection();
      return;
    case 'restart':
      app.checkpoint('passive');
      app.commit({ pages: [2] });
      return;
    case 'checkpoint':
      app.checkpoint(what.mode);
      return;
    case 'pass':
      return;
  }
}

/**
 * What the runs of the property came to: a class without a case would mean that the generator sees nothing.
 */
const seen = { passes: 0, commits: 0, gaps: 0 };

test('whatever the application does, a pass ends at the newest commit or is a gap', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 1 << 30 }),
    fc.array(action, { minLength: 5, maxLength: 60 }),
    async (seed, actions) => {
      const rig = await CaptureRig.start({
        seed,
        application: { sizePages: 6, autocheckpoint: seed % 3 === 0 ? 12 : 0 },
      });
      let healedAt = rig.app.state.index;
      for (const what of [...actions, { do: 'pass' } as const]) {
        act(rig, what);
        if (what.do !== 'pass') continue;
        const { found } = await rig.pass();
        seen.passes++;
        if (found === 'gap') {
          seen.gaps++;
          await rig.heal();
          rig.captured = 0;
          healedAt = rig.app.state.index;
        }
        seen.commits += rig.captured;
        assert.ok(rig.isCommittedState(), 'the captured state is a committed one');
        assert.ok(rig.app.history.find(rig.pages).includes(rig.app.state.index), 'it is the newest one');
        assert.equal(rig.captured, rig.app.state.index - healedAt, 'captured + missed = committed');
      }
    },
  );
  await fc.assert(property, { numRuns: runs(300) });
  assert.ok(seen.passes > 500 && seen.commits > 500 && seen.gaps > 20, JSON.stringify(seen));
});

test('a pass over a log in which nothing was committed finds nothing', async () => {
  const rig = await CaptureRig.start({ seed: 5 });
  rig.app.commit({ pages: [2] });
  assert.equal((await rig.pass()).found, 'commits');
  assert.equal((await rig.pass()).found, 'nothing');
  rig.app.rollback({ pages: [3], spill: [[4]] });
  rig.app.checkpoint('passive');
  assert.equal((await rig.pass()).found, 'nothing');
  assert.equal(rig.captured, 1);
});

test('a commit counter that contradicts the log is a gap', async () => {
  const rig = await CaptureRig.start({ seed: 6 });
  rig.app.commit({ pages: [2] });
  await rig.pass();
  const { position } = rig.observer;
  assert.ok(position !== null && position.iChange !== null);
  rig.resume({ ...position, iChange: (position.iChange - 1) >>> 0 });
  const pass = await rig.pass();
  assert.ok(pass.found === 'gap' && /commit counter/.test(pass.reason));
});
