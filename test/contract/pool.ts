/** The contract of the Pool port. */

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';

import { Bug } from '../../src/base/assert.ts';
import { Fault } from '../../src/base/fault.ts';
import type { Pool } from '../../src/base/ports.ts';
import type { PoolJobs } from './pool-jobs.ts';
import { faultOf, type ContractWorld } from './world.ts';

export interface PoolWorld extends ContractWorld {
  /** A pool of two workers that run `poolJobs`, and die only when told. */
  readonly pool: Pool<PoolJobs>;
  /** Runs a job in whose course the worker dies. */
  readonly runDying: () => Promise<unknown>;
}

/** Runs the suite on pools that `make` gives. */
export function poolContract(name: string, make: (t: TestContext) => PoolWorld): void {
  describe(`Pool contract: ${name}`, () => {
    const holds = (title: string, body: (world: PoolWorld) => Promise<void>): void => {
      test(title, async (t) => {
        const world = make(t);
        await world.run(body(world));
        await world.run(world.pool.close());
      });
    };

    holds('a job’s output comes back, with its bytes and its wide numbers', async ({ pool }) => {
      const output = await pool.run('increment', { id: 1n << 62n, bytes: new Uint8Array([1, 2, 255]) });
      assert.equal(output.id, 1n << 62n);
      assert.deepEqual(output.bytes, new Uint8Array([2, 3, 0]));
    });

    holds('arrays come back as what they were, parts of a buffer too', async ({ pool }) => {
      for (let i = 0; i < 2; i++) {
        const output = await pool.run('parts', 3);
        assert.deepEqual(output.numbers, new Uint32Array([7, 7, 7]));
        assert.deepEqual(output.wide, [new BigUint64Array(3).fill(1n << 63n)]);
        assert.deepEqual([...output.part], [9, 9, 9]);
      }
    });

    holds('each of many jobs has its own answer', async ({ pool }) => {
      const outputs = await Promise.all(
        Array.from({ length: 60 }, (_, i) =>
          pool.run('increment', { id: BigInt(i), bytes: new Uint8Array([i]) }),
        ),
      );
      outputs.forEach((output, i) => {
        assert.equal(output.id, BigInt(i));
        assert.deepEqual([...output.bytes], [i + 1]);
      });
    });

    holds('an input is the worker’s own: the caller may go on with its array', async ({ pool }) => {
      const bytes = new Uint8Array([1, 2, 3]);
      const running = pool.run('increment', { id: 0n, bytes });
      bytes.fill(100);
      assert.deepEqual([...(await running).bytes], [2, 3, 4]);
    });

    holds('a buffer that is transferred leaves its caller', async ({ pool }) => {
      const bytes = new Uint8Array([1, 2, 3]);
      const running = pool.run('increment', { id: 0n, bytes }, [bytes.buffer]);
      assert.deepEqual([...(await running).bytes], [2, 3, 4]);
      assert.equal(bytes.length, 0);
    });

    holds('a Fault in a job arrives as a Fault, with all that it says', async ({ pool }) => {
      await assert.rejects(pool.run('fault', 12), (error) => {
        assert.ok(error instanceof Fault);
        const { kind, code, message, hint, details } = error;
        assert.deepEqual(
          { kind, code, message, hint, details },
          {
            kind: 'corrupt',
            code: 'test-corrupt',
            message: '12 bytes are corrupt',
            hint: 'type something else',
            details: { size: 12 },
          },
        );
        return true;
      });
    });

    holds('a mistake in a job arrives as a Bug, and the worker goes on', async ({ pool }) => {
      await assert.rejects(pool.run('mistake', {}), Bug);
      assert.equal((await pool.run('increment', { id: 5n, bytes: new Uint8Array() })).id, 5n);
    });

    holds('the death of a worker fails its job only; the next one runs', async ({ pool, runDying }) => {
      for (let i = 0; i < 3; i++) {
        const dying = runDying();
        const others = [1n, 2n, 3n].map((id) => pool.run('increment', { id, bytes: new Uint8Array() }));
        await assert.rejects(dying, faultOf('unavailable', 'worker-died'));
        assert.deepEqual(
          (await Promise.all(others)).map((output) => output.id),
          [1n, 2n, 3n],
        );
      }
    });

    holds('a closed pool runs nothing, and forgets nobody who waits', async ({ pool }) => {
      const running = Array.from({ length: 5 }, (_, i) =>
        pool.run('increment', { id: BigInt(i), bytes: new Uint8Array() }).then(
          () => 'done',
          (error: unknown) => faultOf('unavailable', 'pool-closed')(error) && 'closed',
        ),
      );
      await pool.close();
      for (const outcome of await Promise.all(running))
        assert.ok(['done', 'closed'].includes(String(outcome)));
      await assert.rejects(
        pool.run('increment', { id: 0n, bytes: new Uint8Array() }),
        faultOf('unavailable', 'pool-closed'),
      );
      await pool.close();
    });
  });
}
