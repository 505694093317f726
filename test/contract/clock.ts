/** The contract of the Clock port. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Clock } from '../../src/base/ports.ts';
import type { ContractWorld } from './world.ts';

export interface ClockWorld extends ContractWorld {
  readonly clock: Clock;
}

/** A sleep that no test waits for; an aborted one must not keep the process alive either. */
const AGES_MS = 10 * 24 * 3_600_000;

/** Timers may be a fraction of a millisecond early by the finer clock. */
const EARLY_MS = 1;

/** Runs the suite on clocks that `make` gives. */
export function clockContract(name: string, make: () => ClockWorld): void {
  describe(`Clock contract: ${name}`, () => {
    const holds = (title: string, body: (world: ClockWorld) => Promise<void>): void => {
      test(title, async () => {
        const world = make();
        await world.run(body(world));
      });
    };

    holds('the wall clock is somewhere after 2020, in whole milliseconds', async ({ clock }) => {
      assert.ok(clock.wallMs() > Date.UTC(2020));
      assert.equal(clock.wallMs() % 1, 0);
    });

    holds('the monotonic clock never runs backward', async ({ clock }) => {
      let last = clock.monoMs();
      for (let i = 0; i < 1_000; i++) {
        const present = clock.monoMs();
        assert.ok(present >= last);
        last = present;
        if (i % 100 === 0) await clock.yield();
      }
    });

    holds('a sleep lasts at least as long as asked', async ({ clock }) => {
      for (const ms of [0, 1, 7, 20]) {
        const startMs = clock.monoMs();
        await clock.sleep(ms);
        assert.ok(clock.monoMs() - startMs >= ms - EARLY_MS, `${ms} ms`);
      }
    });

    holds('the shorter of two sleeps ends first', async ({ clock }) => {
      const ended: string[] = [];
      await Promise.all([
        clock.sleep(40).then(() => ended.push('long')),
        clock.sleep(5).then(() => ended.push('short')),
      ]);
      assert.deepEqual(ended, ['short', 'long']);
    });

    holds('an abort ends a sleep, which resolves', async ({ clock }) => {
      const stop = new AbortController();
      const asleep = clock.sleep(AGES_MS, stop.signal);
      await clock.yield();
      stop.abort();
      await asleep;
    });

    holds('a sleep with an aborted signal resolves', async ({ clock }) => {
      await clock.sleep(AGES_MS, AbortSignal.abort());
    });

    holds('a sleep longer than 2³¹ milliseconds does not end at once', async ({ clock }) => {
      const stop = new AbortController();
      let hasEnded = false;
      const asleep = clock.sleep(2 ** 31 + 5, stop.signal).then(() => (hasEnded = true));
      await clock.sleep(5);
      assert.equal(hasEnded, false);
      stop.abort();
      await asleep;
    });

    holds('a yield lets work that is due have its turn', async ({ clock }) => {
      const turns: string[] = [];
      const other = (async () => {
        await clock.yield();
        turns.push('other');
      })();
      await clock.yield();
      await clock.yield();
      turns.push('self');
      await other;
      assert.deepEqual(turns, ['other', 'self']);
    });
  });
}
