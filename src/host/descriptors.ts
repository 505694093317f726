/**
 * The one registry of database files that this process has open (I12).
 *
 * POSIX locks belong to the process: closing *any* descriptor of a database's main file or `-shm` drops the
 * locks that SQLite holds there. So whoever opens a file by path asks here first, and a registered file is
 * refused. Descriptors are raw numbers, which nothing collects; connections are held here, because a
 * collected one drops its locks.
 *
 * The registry belongs to the process, not to an object: it is module state of the main thread. Worker
 * threads open no files.
 */

import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

import { Bug } from '../base/assert.ts';
import type { FileStat } from '../base/ports.ts';

const files = new Map<string, string>();
const connections = new Set<DatabaseSync>();

/** A file's identity, as a key. */
export function identityOf(stat: Pick<FileStat, 'dev' | 'ino'>): string {
  return `${stat.dev}:${stat.ino}`;
}

/** Whether a file with this identity is registered. */
export function isRegistered(identity: string): boolean {
  return files.has(identity);
}

/** Registers a database file that is about to be opened. */
export function register(identity: string, path: string): void {
  if (files.has(identity)) throw new Bug(`I12: ${path} is open already, as ${files.get(identity)}`);
  files.set(identity, path);
}

/** Forgets a file whose last descriptor is closed. */
export function unregister(identity: string): void {
  files.delete(identity);
}

/** Keeps a connection from being collected. */
export function holdConnection(connection: DatabaseSync): void {
  connections.add(connection);
}

/** Closes a connection that was held. */
export function closeConnection(connection: DatabaseSync): void {
  connection.close();
  connections.delete(connection);
}

/** Throws a Bug if `path` is a database file that is registered: opening it would end with a `close`. */
export function assertForeign(path: string): void {
  if (files.size === 0) return;
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || !files.has(identityOf(stat))) return;
  throw new Bug(`I12: ${path} is a database in use by this process; only its DatabaseHandle may read it`);
}
