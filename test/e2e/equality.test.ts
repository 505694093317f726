/**
 * Equality: whatever an application does to its database, what is restored is what was there, byte by byte.
 *
 * Applications, Millrace and this test are processes of their own. At quiet points the test reads the
 * source's files and notes the state of the newest TXID; at the end it restores all of those TXIDs.
 * `MILLRACE_SEED=n` runs the rounds of a seed again, and `MILLRACE_SEED=n/7` its round 7; what the processes
 * do at the same moment is not repeated.
 *
 * No page is let off. A rollback journal leaves out pages that a transaction both adds and frees, so that
 * their content is whatever lay in the file; the log does not: every page by which a commit grows the
 * database has a frame in it. Rounds without automatic checkpoints, in which the test sees every frame, hold
 * SQLite to that.
 */

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';

import { SimChance } from '../../sim/world/chance.ts';
import { must } from '../../src/base/assert.ts';
import { bytesEqual } from '../../src/base/bytes.ts';
import type { Txid } from '../../src/base/ids.ts';
import { archiveOpen, hostMachine, poolOpen } from '../../src/cli/machine.ts';
import { restore } from '../../src/engine/restore.ts';
import type { Archive } from '../../src/storage/archive.ts';
import { lintArchive } from '../support/archive-lint.ts';
import { pageIn } from '../support/source-state.ts';
import type { SourceState } from '../support/source-state.ts';
import { Stage, STEP_KINDS } from '../support/stage.ts';
import type { StageOptions, StepKind } from '../support/stage.ts';
import { IS_LONG } from '../support/runs.ts';
import { TemporaryDirectory } from '../support/temp.ts';
import { shuffled } from '../support/workload.ts';

const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] as const;
const ROUNDS = IS_LONG ? 120 : PAGE_SIZES.length;
const LIMITS = { stepsPerQuiet: 5 } as const;

const machine = hostMachine({ logLevel: 'error' });

interface Moment {
  readonly txid: Txid;
  readonly state: SourceState;
  readonly after: string;
}

/** What the rounds went through, for the last line and for what must not be missing in it. */
class Tally {
  readonly #counts = new Map<string, number>();

  add(what: string, count = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  toString(): string {
    return [...this.#counts].map(([what, count]) => `${what} ${count}`).join(' · ');
  }
}

/**
 * How database and Millrace are set up in a round: page sizes and checkpoints take turns, the rest is
 * chance.
 */
function optionsOf(seed: number, round: number, chance: SimChance): StageOptions {
  const pageSize = must(PAGE_SIZES[round % PAGE_SIZES.length], 'a page size of the list');
  return {
    pageSize,
    autoVacuum: chance.pick(['none', 'full', 'incremental'] as const),
    synchronous: chance.pick(['off', 'normal', 'full'] as const),
    walAutocheckpoint: must([0, 10, 0, 200][(seed + round) % 4], 'one of four'),
    millrace: {
      uploadIntervalMs: chance.pick([0, 5, 100]),
      sealBytesMax: chance.pick([4 * pageSize, 1 << 24]),
      imageBytesMax: chance.pick([40 * pageSize, 1 << 26, 1 << 26]),
    },
  };
}

/** Which page of a restored database differs first from what was there; `null`: none does. */
function difference(restored: Uint8Array, { pageSize, size, bytes }: SourceState): string | null {
  if (restored.length !== bytes.length) return `${restored.length / pageSize} pages, not ${size}`;
  for (let pgno = 1; pgno <= size; pgno++) {
    const isSame = bytesEqual(pageIn(restored, pgno, pageSize), pageIn(bytes, pgno, pageSize));
    if (!isSame) return `page ${pgno} of ${size}`;
  }
  return null;
}

function integrity(path: string): unknown {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare('PRAGMA integrity_check').get()?.['integrity_check'];
  } finally {
    database.close();
  }
}

/** The seed and, where one round alone is to be run again, its number. */
function seedOf(text: string | undefined): { readonly seed: number; readonly only: number | null } {
  const [seed, only] = (text ?? `${randomInt(2 ** 31)}`).split('/');
  return { seed: Number(seed), only: only === undefined ? null : Number(only) };
}

const TITLE = `whatever happened, what is restored is what was there: ${ROUNDS} rounds`;

test(TITLE, { timeout: 1_800_000 }, async (t) => {
  const { seed, only } = seedOf(process.env['MILLRACE_SEED']);
  t.diagnostic(`MILLRACE_SEED=${seed}`);
  const tally = new Tally();
  for (let round = only ?? 0; round < (only === null ? ROUNDS : only + 1); round++) {
    const chance = new SimChance(seed, `round ${round}`);
    const options = optionsOf(seed, round, chance);
    try {
      await play({ chance, options, tally, steps: stepsOf(seed, round) });
    } catch (error) {
      const what = `MILLRACE_SEED=${seed}/${round} ${JSON.stringify(options)}`;
      throw new Error(`${what}: ${String(error)}`, { cause: error });
    }
  }
  t.diagnostic(String(tally));
  const all = [...Object.keys(STEP_KINDS), 'gap', 'frames all seen', 'restored'];
  for (const what of only === null ? all : ['restored'])
    assert.ok(tally.of(what) > 0, `there was no "${what}"`);
});

interface Round {
  readonly chance: SimChance;
  readonly options: StageOptions;
  readonly tally: Tally;
  readonly steps: readonly StepKind[];
}

/** Two rounds share a deck: together they have every kind of step. */
function stepsOf(seed: number, round: number): readonly StepKind[] {
  const steps = shuffled(new SimChance(seed, `deck ${round >> 1}`), STEP_KINDS);
  const half = steps.length >> 1;
  return round % 2 === 0 ? steps.slice(0, half) : steps.slice(half);
}

/** One round: steps, with quiet points among them; then the restores. */
async function play({ chance, options, tally, steps }: Round): Promise<void> {
  using directory = new TemporaryDirectory();
  const archive = archiveOpen(machine, `${directory.path}/archive`);
  const moments: Moment[] = [];
  await using stage = await Stage.open(directory.path, options, chance);
  for (const [i, step] of steps.entries()) {
    await stage.act(step);
    tally.add(step);
    if (i % LIMITS.stepsPerQuiet > 0 && i + 1 < steps.length) continue;
    await stage.durable();
    const state = stage.watch.state();
    const { maxTxid: txid } = must(await archive.head(), 'what is durable is in the archive');
    moments.push({ txid, state, after: steps.slice(0, i + 1).join(', ') });
    if (options.walAutocheckpoint !== 0) continue;
    tally.add('frames all seen');
    assert.deepEqual(state.unwritten, [], 'SQLite added pages without frames');
  }
  const { state } = must(moments.at(-1), 'there was a quiet point');
  const folded = await stage.end();
  assert.ok(bytesEqual(folded, state.bytes), 'what SQLite folds into its file is the state that was read');
  for (const [event, count] of stage.events) tally.add(event, count);
  await compare(archive, moments, `${directory.path}/restored.db`);
  tally.add('restored', moments.length);
  assert.deepEqual(await lintArchive(archive), []);
}

/** Restores every moment, and compares. */
async function compare(archive: Archive, moments: readonly Moment[], to: string): Promise<void> {
  const pool = poolOpen();
  try {
    for (const { txid, state, after } of moments) {
      await restore(machine, pool, archive, { to, force: true, target: { kind: 'txid', txid } });
      const differs = difference(new Uint8Array(readFileSync(to)), state);
      assert.equal(differs, null, `TXID ${txid}, after ${after}`);
      assert.equal(integrity(to), 'ok', `TXID ${txid}, after ${after}`);
    }
  } finally {
    await pool.close();
  }
}
