/**
 * What does replication cost a writer that saturates a core? Throughput while replicated ÷ alone, in
 * interleaved rounds.
 *
 * Every round runs all of them in turn on fresh databases: alone, with Millrace, with Litestream at its
 * defaults, and both as Litestream's documentation advises for heavy writes (`wal_autocheckpoint=0`: it does
 * the checkpoints).
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pause } from '../test/support/until.ts';
import { median, ms, table } from './figures.ts';
import { Litestream, Millrace } from './replicators.ts';
import type { Replicator } from './replicators.ts';
import type { WriterFigures } from './writer.ts';

const WRITER = new URL('writer.ts', import.meta.url).pathname;
const LIMITS = { rounds: 7, runMs: 4_000, settleMs: 1_500 } as const;
const NORMAL = 'PRAGMA synchronous=NORMAL';

interface Run extends WriterFigures {
  readonly cpuS: number;
  readonly rssBytes: number;
  readonly gaps: number;
  /** Commits that Millrace captured one by one, and those that were made in all while it did. */
  readonly captured: number;
  readonly seen: number;
}

interface Contestant {
  readonly name: string;
  readonly pragmas: string;
  /** The contestant that it is compared with. */
  readonly against: string;
  readonly start: (database: string, dir: string) => Replicator | null;
}

function contestants(pragmas: string): readonly Contestant[] {
  const advised = `${pragmas}; PRAGMA wal_autocheckpoint=0`;
  return [
    { name: 'alone', pragmas, against: 'alone', start: () => null },
    {
      name: 'Millrace',
      pragmas,
      against: 'alone',
      start: (db, dir) => new Millrace(db, join(dir, 'archive')),
    },
    { name: 'Litestream 0.3.13', pragmas, against: 'alone', start: (db, dir) => new Litestream(db, dir) },
    {
      name: 'Litestream 0.3.13, advised settings',
      pragmas: advised,
      against: 'alone',
      start: (db, dir) => new Litestream(db, dir),
    },
  ];
}

async function run(contestant: Contestant): Promise<Run> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    const database = join(dir, 'app.db');
    const writer = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', WRITER, database, String(LIMITS.runMs), contestant.pragmas],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const lines = createInterface({ input: writer.stdout })[Symbol.asyncIterator]();
    await lines.next();
    const replicator = contestant.start(database, dir);
    if (replicator instanceof Millrace) await replicator.next(({ event }) => event === 'durable');
    await pause(LIMITS.settleMs);
    const before = replicator?.usage() ?? { cpuS: 0, rssBytes: 0 };
    const from = replicator instanceof Millrace ? replicator.events.length : 0;
    writer.stdin.write('go\n');
    const figures = JSON.parse(String((await lines.next()).value)) as WriterFigures;
    const after = replicator?.usage() ?? before;
    await replicator?.stop();
    writer.stdin.write('end\n');
    await once(writer, 'close');
    const events = replicator instanceof Millrace ? replicator.events.slice(from) : [];
    const captured = events
      .filter(({ event }) => event === 'durable')
      .reduce((sum, { commits }) => sum + (commits ?? 0), 0);
    const gaps = events.filter(({ event }) => event === 'gap').length;
    return {
      ...figures,
      cpuS: after.cpuS - before.cpuS,
      rssBytes: after.rssBytes,
      gaps,
      captured,
      seen: figures.commits,
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function compare(title: string, pragmas: string): Promise<string> {
  const all = contestants(pragmas);
  const runs = new Map<string, Run[]>(all.map(({ name }) => [name, []]));
  for (let round = 0; round < LIMITS.rounds; round++) {
    // The order turns, so that nobody always follows the same neighbour.
    for (let i = 0; i < all.length; i++) {
      const contestant = all[(i + round) % all.length];
      if (contestant === undefined) continue;
      const result = await run(contestant);
      runs.get(contestant.name)?.push(result);
      process.stderr.write(
        `${title} · round ${round + 1} · ${contestant.name}: ${result.perSecond.toFixed(0)} tx/s\n`,
      );
    }
  }
  const of = (name: string): readonly Run[] => runs.get(name) ?? [];
  const rows = all.map(({ name, against }) => {
    const mine = of(name);
    const ratios = mine.map((result, i) => result.perSecond / (of(against)[i]?.perSecond ?? Number.NaN));
    const middle = (pick: (result: Run) => number): number => median(mine.map(pick));
    return [
      name,
      middle((r) => r.perSecond).toFixed(0),
      median(ratios).toFixed(2),
      `${Math.min(...ratios).toFixed(2)} … ${Math.max(...ratios).toFixed(2)}`,
      ms(middle((r) => r.p99Ms)),
      ms(middle((r) => r.worstMs)),
      ms(Math.max(...mine.map((r) => r.worstMs))),
      name === 'alone' ? '–' : `${((middle((r) => r.cpuS) / LIMITS.runMs) * 100_000).toFixed(0)} %`,
      name === 'alone' ? '–' : `${(middle((r) => r.rssBytes) / 1e6).toFixed(0)} MB`,
    ];
  });
  const head = ['', 'tx/s', '÷ alone', 'range', 'p99 ms', 'worst ms', 'worst of all', 'CPU', 'memory'];
  const ours = of('Millrace');
  const sum = (pick: (result: Run) => number): number =>
    ours.reduce((total, result) => total + pick(result), 0);
  const [captured, seen, gaps] = [sum((r) => r.captured), sum((r) => r.seen), sum((r) => r.gaps)];
  const missed = `captured ${captured} of ${seen} commits one by one, ${gaps} gaps`;
  return `### ${title}\n\n${table(head, rows)}\n\nMillrace ${missed}, in ${ours.length} runs.`;
}

/** Runs the benchmark; returns its tables in Markdown. */
export async function benchCapture(): Promise<string> {
  const parts = [
    await compare('A saturated writer, synchronous=NORMAL', NORMAL),
    await compare('A saturated writer, default pragmas (synchronous=FULL)', ''),
  ];
  return parts.join('\n\n');
}
