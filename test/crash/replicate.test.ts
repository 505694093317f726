/**
 * Kills of Millrace, of the application, and of both, at named points and at random, over one long-lived
 * database.
 *
 * After each the archive is restored elsewhere and must hold every commit that was reported durable, in a
 * state that was committed; at the end everything local is lost and comes back.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';

import { must } from '../../src/base/assert.ts';
import { txidParse } from '../../src/base/ids.ts';
import { archiveOpen, hostMachine, poolOpen } from '../../src/cli/machine.ts';
import { restore } from '../../src/engine/restore.ts';
import { stateDir } from '../../src/engine/state.ts';
import { Application } from '../support/application.ts';
import { lintArchive } from '../support/archive-lint.ts';
import { chainVerify } from '../support/chain.ts';
import { IS_LONG } from '../support/runs.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { pause, until, within } from '../support/until.ts';
import { KEEPER_PHASES } from './keeper-phases.ts';
import type { KillPlan } from './keeper-phases.ts';

const KILLS = IS_LONG ? 120 : 20;
const LIMITS = { runMs: 250, killWithinMs: 6_000 } as const;

interface DurableLine {
  readonly event: 'durable';
  readonly txid: string;
  readonly walMs: number;
}

/** A replicating child, and what it said was durable. */
class Keeper {
  readonly child: ChildProcess;
  readonly durable: DurableLine[] = [];
  readonly exited: Promise<unknown>;

  constructor(database: string, archive: string, plan: KillPlan | null) {
    const script = new URL('keeper-child.ts', import.meta.url).pathname;
    const args = ['--disable-warning=ExperimentalWarning', script, database, archive, JSON.stringify(plan)];
    this.child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.exited = once(this.child, 'close');
    createInterface({ input: must(this.child.stdout, 'the child has a standard output') }).on(
      'line',
      (line) => {
        const event = JSON.parse(line) as DurableLine | { readonly event: string };
        if (event.event === 'durable') this.durable.push(event as DurableLine);
      },
    );
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

/**
 * Every other kill is at a named point, each of them in turn; the others, and the first, come at a random
 * moment.
 */
function planOf(round: number): KillPlan | null {
  if (round % 2 === 0) return null;
  const phase = must(KEEPER_PHASES[((round - 1) / 2) % KEEPER_PHASES.length], 'a phase of the list');
  const counts = { capture: 40, difference: 2, 'PUT file': 9, attach: 1, 'state replaced': 4 } as Record<
    string,
    number
  >;
  return { phase, count: 1 + Math.floor(Math.random() * (counts[phase] ?? 2)) };
}

test(
  `${KILLS} kills lose no commit that was durable, and leave no torn state`,
  { timeout: 900_000 },
  async (t) => {
    const dir = temporaryDirectory(t);
    const database = `${dir}/app.db`;
    const archivePath = `${dir}/archive`;
    const machine = hostMachine({ logLevel: 'error' });
    const archive = archiveOpen(machine, archivePath);
    const pool = poolOpen();
    t.after(() => pool.close());
    const histogram = new Map<string, number>();
    /** Rows that the archive must hold. */
    let promised = 0;
    let application = await Application.start(database, {});
    t.after(() => application.kill());
    await application.commit(1);

    const verify = async (to: string): Promise<number> => {
      await restore(machine, pool, archive, { to, force: true });
      const { rows } = chainVerify(to);
      assert.ok(rows >= promised, `${rows} rows were restored, ${promised} were reported durable`);
      return rows;
    };

    for (let round = 0; round < KILLS; round++) {
      const plan = planOf(round);
      if (plan?.phase === 'difference') await application.checkpoint('TRUNCATE');
      const keeper = new Keeper(database, archivePath, plan);
      t.after(() => keeper.child.kill('SIGKILL'));
      await application.startFullSpeed({ padBytes: 40 + (round % 4) * 50, rowsPerCommit: 1 + (round % 3) });
      const isBoth = round % 4 === 2 || round % 8 === 3;
      const isApplication = round % 5 === 4;
      if (plan === null) {
        await until(() => keeper.durable.length > 0 || !keeper.isAlive, { what: 'something is durable' });
        await pause(Math.random() * LIMITS.runMs);
      } else {
        await until(() => !keeper.isAlive, {
          what: `the child dies in ${plan.phase}`,
          timeoutMs: LIMITS.killWithinMs,
        });
      }
      if (isApplication || isBoth) await application.kill();
      await keeper.kill();
      histogram.set(plan?.phase ?? 'at random', (histogram.get(plan?.phase ?? 'at random') ?? 0) + 1);
      if (!isApplication && !isBoth) await application.stop();
      const walMs = keeper.durable.at(-1)?.walMs ?? 0;
      promised = Math.max(promised, application.acknowledged.findLast((ack) => ack.wallMs < walMs)?.row ?? 0);
      await verify(`${dir}/check.db`);
      const last = keeper.durable.at(-1);
      if (last !== undefined && round % 3 === 0) {
        const txid = txidParse(BigInt(last.txid).toString(16));
        await restore(machine, pool, archive, {
          to: `${dir}/at.db`,
          force: true,
          target: { kind: 'txid', txid },
        });
        chainVerify(`${dir}/at.db`);
      }
      if (isApplication || isBoth) application = await Application.start(database, {});
    }

    const keeper = new Keeper(database, archivePath, null);
    const { row } = await application.commit(10);
    await until(() => keeper.durable.length > 0, { what: 'the last commits are durable' });
    keeper.child.kill('SIGTERM');
    await within(keeper.exited, { what: 'the keeper ends in order' });
    assert.equal(keeper.child.exitCode, 0);
    await application.kill();
    promised = row;
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${database}${suffix}`, { force: true });
    rmSync(stateDir(database), { recursive: true });
    assert.equal(await verify(database), row);
    const restored = new DatabaseSync(database);
    assert.equal(restored.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
    restored.close();
    assert.deepEqual(await lintArchive(archive), []);

    t.diagnostic(
      `kills by phase: ${[...histogram].map(([phase, kills]) => `${phase} ${kills}`).join(' · ')}`,
    );
    for (const phase of ['at random', ...KEEPER_PHASES]) {
      assert.ok((histogram.get(phase) ?? 0) > 0, `no kill in phase ${phase}`);
    }
  },
);
