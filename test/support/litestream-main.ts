/**
 * A child process that opens a replica with Litestream's VFS, waits until Litestream has restored it to a
 * file ("hydrated" it), and prints as JSON what came of it.
 *
 * Argument: the extension. Litestream is configured by the environment that the process starts with (Go sees
 * no later change of it), once a process.
 */

import { existsSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

import { messageOf } from '../../src/base/fault.ts';
import { until } from './until.ts';

const [, , extension = ''] = process.argv;
const log = process.env['LITESTREAM_LOG_FILE'] ?? '';

function logText(): string {
  return existsSync(log) ? readFileSync(log, 'utf8') : '';
}

let txid: unknown = null;
let failure: string | null = null;
try {
  const loader = new DatabaseSync(':memory:', { allowExtension: true });
  loader.loadExtension(extension);
  const database = new DatabaseSync('file:replica.db?vfs=litestream');
  txid = database.prepare('SELECT litestream_txid() AS txid').get()?.['txid'] ?? null;
  await until(() => /hydration (complete|failed)/.test(logText()), { what: 'Litestream has hydrated' });
  failure = /hydration failed.*/.exec(logText())?.[0] ?? null;
  database.close();
} catch (error) {
  failure = messageOf(error);
}
process.stdout.write(JSON.stringify({ txid, failure }));
process.exit(0);
