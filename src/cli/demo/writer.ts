/**
 * The demo's application, a process of its own: writes to a ledger at full speed until it is killed.
 *
 * `node writer.ts DATABASE`. After each COMMIT has returned, one line `commit-number unix-ms hash` goes to
 * stdout, which must be a file: a write to a file is whole, and outlives the writer. WAL mode; every other
 * pragma is the default.
 */

import { writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { ledgerCreate, ledgerWriter } from './ledger.ts';

const STDOUT = 1;

const path = process.argv[2];
if (path === undefined) throw new Error('usage: writer.ts DATABASE');
const db = new DatabaseSync(path);
db.exec('PRAGMA journal_mode = WAL');
let ledger = ledgerCreate(db);
const commit = ledgerWriter(db);
for (;;) {
  ledger = commit(ledger);
  writeSync(STDOUT, `${ledger.commits} ${Date.now()} ${ledger.hash}\n`);
}
