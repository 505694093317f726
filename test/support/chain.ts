/**
 * The chain: numbered rows, each with a hash over the row before. Any row lost, invented or changed breaks
 * it.
 *
 * `hash(n)` = SHA-256 of hash(n−1), n and the padding; row 1 follows the empty text.
 */

import { hash } from 'node:crypto';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** How many rows are read at once. */
const LIMITS = { rowsPerRead: 1_000 } as const;

/** The end of a chain: its length, and the last row's hash ('' for no rows). */
export interface ChainEnd {
  readonly rows: number;
  readonly hash: string;
}

export const CHAIN_SCHEMA =
  'CREATE TABLE IF NOT EXISTS chain (n INTEGER PRIMARY KEY, hash TEXT NOT NULL, pad BLOB)';

/** The hash of row `n`, which follows a row with hash `before`. */
export function chainHash(before: string, n: number, pad: Uint8Array): string {
  return hash('sha256', Buffer.concat([Buffer.from(`${before}\n${n}\n`), pad]), 'hex');
}

/**
 * Reads the chain in the database at `path` from its first row, read-only; throws an Error at the first
 * broken row.
 */
export function chainVerify(path: string): ChainEnd {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return verify(database.prepare('SELECT n, hash, pad FROM chain WHERE n > ? ORDER BY n LIMIT ?'));
  } finally {
    database.close();
  }
}

function verify(read: StatementSync): ChainEnd {
  let end: ChainEnd = { rows: 0, hash: '' };
  for (;;) {
    const rows = read.all(end.rows, LIMITS.rowsPerRead);
    for (const row of rows) {
      const n = end.rows + 1;
      const expected = chainHash(end.hash, n, (row['pad'] as Uint8Array | null) ?? new Uint8Array());
      if (row['n'] !== n)
        throw new Error(`row ${n} is missing: row ${String(row['n'])} follows row ${end.rows}`);
      if (row['hash'] !== expected) throw new Error(`row ${n} does not continue the chain`);
      end = { rows: n, hash: expected };
    }
    if (rows.length < LIMITS.rowsPerRead) return end;
  }
}
