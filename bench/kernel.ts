/**
 * How fast is the kernel, and what would plain TypeScript give? One core, pages of 4 KiB of a database of
 * orders that real SQLite wrote; `npm run bench -- kernel` prints MB/s of pages (or WAL bytes).
 */

import { DatabaseSync } from 'node:sqlite';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as twin from '../kernel/twin.ts';
import type { Checksum } from '../src/base/ids.ts';
import { table } from './figures.ts';
import * as kernel from '../src/format/kernel.ts';

/** One function's figures, in megabytes (10⁶ bytes) a second. */
interface KernelRow {
  readonly name: string;
  readonly kernelMBs: number;
  readonly twinMBs: number;
}

const LIMITS = { roundMs: 60, rounds: 5, kernelPages: 1024, twinPages: 32 } as const;
const PAGE_SIZE = 4096;
const LARGE_BLOCK = 65_536;
const NOTHING = 0n as Checksum;

type Functions = Pick<typeof twin, keyof typeof twin>;
type Job = (on: Functions) => unknown;

/** The pages of a database with short texts, numbers, an index, and a column that does not compress. */
function samplePages(): Uint8Array {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    const path = join(dir, 'orders.db');
    const db = new DatabaseSync(path);
    db.exec(`
      CREATE TABLE orders (
        id INTEGER PRIMARY KEY, customer TEXT, email TEXT, status TEXT, total REAL, token BLOB
      );
      CREATE INDEX orders_email ON orders (email);
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
      INSERT INTO orders
      SELECT i, 'Customer number ' || (i * 7919 % 5003), 'user' || (i * 7919 % 5003) || '@example.com',
        CASE i % 3 WHEN 0 THEN 'open' WHEN 1 THEN 'paid' ELSE 'shipped' END,
        (i * 31 % 99991) / 100.0, randomblob(8)
      FROM n;
    `);
    db.close();
    return new Uint8Array(readFileSync(path));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** The best of a few rounds: what the machine can do when nobody else is on it. */
function megabytesPerSecond(bytes: number, job: () => unknown): number {
  let best = 0;
  for (let round = 0; round < LIMITS.rounds; round++) {
    const start = performance.now();
    let elapsed = 0;
    let turns = 0;
    for (; elapsed < LIMITS.roundMs; turns++, elapsed = performance.now() - start) job();
    best = Math.max(best, (bytes * turns) / elapsed / 1000);
  }
  return best;
}

interface Sample {
  readonly pgnos: Uint32Array;
  readonly pages: Uint8Array;
  readonly frames: Uint8Array;
  readonly blocks: readonly Uint8Array[];
  readonly largeBlocks: readonly Uint8Array[];
}

function sampleOf(file: Uint8Array, count: number): Sample {
  const pages = file.slice(100 * PAGE_SIZE, (100 + count) * PAGE_SIZE);
  const pgnos = Uint32Array.from({ length: count }, (_, index) => 101 + index);
  const blocksOf = (size: number): Uint8Array[] =>
    Array.from({ length: pages.length / size }, (_, index) =>
      kernel.lz4Compress(pages.subarray(index * size, (index + 1) * size)),
    );
  return {
    pgnos,
    pages,
    frames: kernel.encodePages(pgnos, pages, PAGE_SIZE, NOTHING).bytes,
    blocks: blocksOf(PAGE_SIZE),
    largeBlocks: blocksOf(LARGE_BLOCK),
  };
}

function jobs({ pgnos, pages, frames, blocks, largeBlocks }: Sample): readonly (readonly [string, Job])[] {
  const seed = { s0: 0, s1: 0 };
  return [
    ['CRC-64', (on) => on.crc64(pages)],
    ['WAL checksum, little-endian', (on) => on.walChecksum(pages, false, seed)],
    ['WAL checksum, big-endian', (on) => on.walChecksum(pages, true, seed)],
    ['page checksums', (on) => on.pageChecksums(pgnos, pages, PAGE_SIZE)],
    ['LZ4 decode, page by page', (on) => blocks.forEach((block) => on.lz4Decompress(block, PAGE_SIZE))],
    [
      'LZ4 decode, blocks of 64 KiB',
      (on) => largeBlocks.forEach((block) => on.lz4Decompress(block, LARGE_BLOCK)),
    ],
    ['encode pages (LZ4 + both CRCs)', (on) => on.encodePages(pgnos, pages, PAGE_SIZE, NOTHING)],
    ['decode pages (LZ4 + both CRCs)', (on) => on.decodePages(frames, PAGE_SIZE, NOTHING)],
  ];
}

/** Measures every function on both sides. */
function run(): Promise<readonly KernelRow[]> {
  const file = samplePages();
  const large = sampleOf(file, LIMITS.kernelPages);
  const small = sampleOf(file, LIMITS.twinPages);
  const twinJobs = jobs(small);
  const rows = jobs(large).map(([name, job], index) => ({
    name,
    kernelMBs: megabytesPerSecond(large.pages.length, () => job(kernel)),
    twinMBs: megabytesPerSecond(small.pages.length, () => twinJobs[index]?.[1](twin)),
  }));
  return Promise.resolve(rows);
}

/** Runs the benchmark; returns its table in Markdown. */
export async function benchKernel(): Promise<string> {
  const rows = await run();
  const cells = rows.map(({ name, kernelMBs, twinMBs }) => [name, kernelMBs.toFixed(0), twinMBs.toFixed(1)]);
  return table(['MB/s, one core', 'kernel', 'TypeScript twin'], cells);
}
