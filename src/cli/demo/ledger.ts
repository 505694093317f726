/**
 * The demo's database: a ledger that proves, from its own content, which commit it is the state of.
 *
 * Every entry carries the hash of the entry before it, every commit also moves money between two accounts
 * and rewrites `head`. A state between two commits, or one made of pages of different commits, cannot
 * satisfy `ledgerRead`.
 */

import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

export const LIMITS = { accounts: 2_000, entriesPerCommitMax: 4, bodyBytesMax: 300 } as const;

const SCHEMA = `
  CREATE TABLE entry (id INTEGER PRIMARY KEY, commit_no INTEGER NOT NULL, body BLOB NOT NULL,
    hash TEXT NOT NULL);
  CREATE TABLE account (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL);
  CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), commits INTEGER NOT NULL,
    entries INTEGER NOT NULL, hash TEXT NOT NULL);
`;

/** What a ledger holds. `hash` ends the chain of its entries. */
export interface Ledger {
  readonly commits: number;
  readonly entries: number;
  readonly hash: string;
}

/** The ledger of an empty database. */
export function ledgerCreate(db: DatabaseSync): Ledger {
  db.exec('BEGIN');
  db.exec(SCHEMA);
  const account = db.prepare('INSERT INTO account VALUES (?, 0)');
  for (let id = 1; id <= LIMITS.accounts; id++) account.run(id);
  const empty: Ledger = { commits: 0, entries: 0, hash: '' };
  db.prepare('INSERT INTO head VALUES (1, ?, ?, ?)').run(empty.commits, empty.entries, empty.hash);
  db.exec('COMMIT');
  return empty;
}

/** A function that makes one more commit and returns the ledger after it. */
export function ledgerWriter(db: DatabaseSync): (before: Ledger) => Ledger {
  const insert = db.prepare('INSERT INTO entry VALUES (?, ?, ?, ?)');
  const move = db.prepare('UPDATE account SET amount = amount + ? WHERE id = ?');
  const update = db.prepare('UPDATE head SET commits = ?, entries = ?, hash = ?');
  const random = (below: number): number => Math.floor(Math.random() * below);
  return (before) => {
    const commits = before.commits + 1;
    let { entries, hash } = before;
    db.exec('BEGIN IMMEDIATE');
    for (let count = 1 + random(LIMITS.entriesPerCommitMax); count > 0; count--) {
      const body = crypto.getRandomValues(new Uint8Array(1 + random(LIMITS.bodyBytesMax)));
      entries++;
      hash = entryHash(hash, entries, commits, body);
      insert.run(entries, commits, body, hash);
    }
    const amount = 1 + random(1_000);
    move.run(-amount, 1 + random(LIMITS.accounts));
    move.run(amount, 1 + random(LIMITS.accounts));
    update.run(commits, entries, hash);
    db.exec('COMMIT');
    return { commits, entries, hash };
  };
}

/** Reads a ledger and follows its whole chain; `faults` says everything that is wrong with it. */
export function ledgerRead(db: DatabaseSync): {
  readonly ledger: Ledger;
  readonly faults: readonly string[];
} {
  const faults: string[] = [];
  const head = db.prepare('SELECT commits, entries, hash FROM head').get() as unknown as Ledger;
  let entries = 0;
  let commits = 0;
  let hash = '';
  for (const row of db.prepare('SELECT id, commit_no, body, hash FROM entry ORDER BY id').iterate()) {
    const entry = row as unknown as { id: number; commit_no: number; body: Uint8Array; hash: string };
    entries++;
    const isNext = entry.commit_no === commits || entry.commit_no === commits + 1;
    hash = entryHash(hash, entries, entry.commit_no, entry.body);
    if (entry.id !== entries || !isNext || entry.hash !== hash) {
      faults.push(`entry ${entry.id} breaks the chain after ${entries - 1} entries of ${commits} commits`);
      break;
    }
    commits = entry.commit_no;
  }
  if (faults.length === 0 && (head.commits !== commits || head.entries !== entries || head.hash !== hash)) {
    faults.push(`the head says ${head.commits} commits, the chain ends with ${commits}`);
  }
  const sum = db.prepare('SELECT SUM(amount) AS sum FROM account').get()?.['sum'];
  if (sum !== 0) faults.push(`the accounts sum up to ${String(sum)}, not 0`);
  return { ledger: { commits: head.commits, entries: head.entries, hash: head.hash }, faults };
}

function entryHash(before: string, id: number, commitNo: number, body: Uint8Array): string {
  return createHash('sha256').update(`${before} ${id} ${commitNo} `).update(body).digest('hex').slice(0, 32);
}
