/**
 * How long is it from a commit's acknowledgement until the archive, a directory, has it?
 *
 * One commit after another: the next one follows when the one before is durable. `waiter`: somebody waits for
 * every commit (`--upload-interval 0`); `after idle`: defaults, and no write for a second and a half before
 * each.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pause } from '../test/support/until.ts';
import { ms, quantile, table } from './figures.ts';
import { Litestream, Millrace } from './replicators.ts';

const LIMITS = {
  commits: 200,
  idleCommits: 15,
  pauseMs: 5,
  idleMs: 1_500,
  settleMs: 1_500,
  giveUpMs: 2_000,
} as const;

interface Case {
  readonly name: string;
  readonly commits: number;
  readonly pauseMs: number;
  readonly start: (database: string, dir: string) => Durability;
}

/** Waits for the next upload that contains what was committed before `mark` was taken. */
interface Durability {
  mark(): number;
  durable(mark: number): Promise<void>;
  stop(): Promise<void>;
}

function millrace(flags: readonly string[]): Case['start'] {
  return (database, dir) => {
    const replicator = new Millrace(database, join(dir, 'archive'), flags);
    return {
      mark: () => replicator.events.length,
      async durable(mark) {
        await replicator.next(({ event }) => event === 'durable', mark);
      },
      stop: () => replicator.stop(),
    };
  };
}

function litestream(intervalMs: number | null): Case['start'] {
  return (database, dir) => {
    const replicator = new Litestream(database, dir, intervalMs);
    return {
      mark: () => replicator.bytes(),
      async durable(mark) {
        // Litestream may leave a commit until the next one comes: such a one counts as the time that was
        // waited.
        const endMs = performance.now() + LIMITS.giveUpMs;
        while (replicator.bytes() === mark && performance.now() < endMs) await pause(1);
      },
      stop: () => replicator.stop(),
    };
  };
}

const CASES: readonly Case[] = [
  {
    name: 'Millrace, waiter',
    commits: LIMITS.commits,
    pauseMs: LIMITS.pauseMs,
    start: millrace(['--upload-interval', '0']),
  },
  {
    name: 'Millrace, first write after idle',
    commits: LIMITS.idleCommits,
    pauseMs: LIMITS.idleMs,
    start: millrace([]),
  },
  {
    name: 'Litestream 0.3.13, intervals of 10 ms',
    commits: LIMITS.commits,
    pauseMs: LIMITS.pauseMs,
    start: litestream(10),
  },
  {
    name: 'Litestream 0.3.13, after idle',
    commits: LIMITS.idleCommits,
    pauseMs: LIMITS.idleMs,
    start: litestream(null),
  },
];

async function measure({ commits, pauseMs, start }: Case): Promise<readonly number[]> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    const path = join(dir, 'app.db');
    const database = new DatabaseSync(path, { timeout: 10_000 });
    database.exec(
      `PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
       CREATE TABLE log (id INTEGER PRIMARY KEY, text TEXT)`,
    );
    const insert = database.prepare("INSERT INTO log (text) VALUES ('an event of the usual length')");
    insert.run();
    const replicator = start(path, dir);
    await replicator.durable(0);
    await pause(LIMITS.settleMs);
    const took: number[] = [];
    for (let i = 0; i < commits; i++) {
      await pause(pauseMs);
      const mark = replicator.mark();
      insert.run();
      const beganMs = performance.now();
      await replicator.durable(mark);
      took.push(performance.now() - beganMs);
    }
    await replicator.stop();
    database.close();
    return took;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Runs the benchmark; returns its table in Markdown. */
export async function benchLatency(): Promise<string> {
  const took = new Map<string, number[]>();
  for (let round = 0; round < 3; round++) {
    for (const each of CASES) {
      took.set(each.name, [...(took.get(each.name) ?? []), ...(await measure(each))]);
      process.stderr.write(`latency · round ${round + 1} · ${each.name}\n`);
    }
  }
  const rows = [...took].map(([name, values]) => [
    name,
    String(values.length),
    String(values.filter((value) => value >= LIMITS.giveUpMs).length),
    ms(quantile(values, 0.5)),
    ms(quantile(values, 0.99)),
    ms(quantile(values, 1)),
  ]);
  const head = ['', 'commits', 'not within 2 s', 'p50 ms', 'p99 ms', 'worst ms'];
  return `### Commit → durable in a file archive\n\n${table(head, rows)}`;
}
