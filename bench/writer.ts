/**
 * The application of the benchmarks: commits one row after another, as fast as SQLite lets it.
 *
 *     node writer.ts DATABASE MS PRAGMAS
 *
 * Prints `ready`, waits for a line, writes for MS, and prints its figures as JSON.
 */

import { once } from 'node:events';
import { DatabaseSync } from 'node:sqlite';

/** What a writer reports: commits, what they took in ms, and SQLite's commits in all. */
export interface WriterFigures {
  readonly commits: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}

const [path = '', runMs = '0', pragmas = ''] = process.argv.slice(2);
const database = new DatabaseSync(path, { timeout: 10_000 });
database.exec(
  `PRAGMA journal_mode=WAL; ${pragmas};
   CREATE TABLE IF NOT EXISTS log (id INTEGER PRIMARY KEY, at REAL, text TEXT)`,
);
const insert = database.prepare("INSERT INTO log (at, text) VALUES (?, 'an event of the usual length')");
insert.run(0);
process.stdout.write('ready\n');
await once(process.stdin, 'data');

const took: number[] = [];
const beganMs = performance.now();
const endMs = beganMs + Number(runMs);
for (let at = beganMs; at < endMs;) {
  insert.run(at);
  const now = performance.now();
  took.push(now - at);
  at = now;
}
const seconds = (performance.now() - beganMs) / 1000;
const sorted = Float64Array.from(took).sort();
const at = (share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
const figures: WriterFigures = {
  commits: took.length,
  perSecond: took.length / seconds,
  p50Ms: at(0.5),
  p99Ms: at(0.99),
  worstMs: at(1),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
// Stays until it is told to end: a replicator is still reading.
await once(process.stdin, 'data');
database.close();
process.exit(0);
