/** `millrace demo`, short: what it claims to show is shown. */

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cli, resultOf } from '../support/cli.ts';

interface Demo {
  readonly holds: boolean;
  readonly acknowledged: number;
  readonly durable: number;
  readonly uploads: number;
  readonly restored: readonly {
    readonly file: string;
    readonly checks: readonly { readonly holds: boolean }[];
  }[];
}

test('what was reported durable comes back after SIGKILL to writer and replicator', async () => {
  const demo = resultOf(await cli(['demo', '--seconds', '2', '--json'])) as unknown as Demo;
  assert.equal(demo.holds, true);
  assert.ok(demo.uploads >= 2 && demo.durable > 0 && demo.acknowledged >= demo.durable);
  assert.deepEqual(
    demo.restored.map(({ file, checks }) => [file, checks.length, checks.every(({ holds }) => holds)]),
    [
      ['restored.db', 4, true],
      ['earlier.db', 4, true],
    ],
  );
});

test('the demo tells people each step, and leaves nothing behind', async () => {
  const { code, stdout } = await cli(['demo', '--seconds', '1']);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /All of it holds/);
  assert.equal(stdout.split('✓').length - 1, 8);
  const dir = /demo in (\S+)/.exec(stdout)?.[1] ?? '';
  assert.match(dir, /millrace-demo-/);
  assert.ok(!existsSync(dir));
});
