/** What the cases of the Databases contract are made of: a world, an application, and eyes for its files. */

import assert from 'node:assert/strict';

import { bytesEqual, utf8, view } from '../../src/base/bytes.ts';
import type { DatabaseHandle, Databases, Files } from '../../src/base/ports.ts';
import type { ContractWorld } from './world.ts';

/** An application that has one database open, in WAL mode, without autocheckpoints. */
export interface ContractApplication {
  /** Commits transactions, each of which changes at least one page. */
  commit(count: number): Promise<void>;
  /** `busy`: somebody's read transaction or lock kept it from doing all of it. It does not wait for long. */
  checkpoint(mode: 'PASSIVE' | 'TRUNCATE'): Promise<{ readonly busy: boolean }>;
  /** Closes the database, as its last user here. */
  close(): Promise<void>;
  kill(): Promise<void>;
}

export interface DatabasesWorld extends ContractWorld {
  readonly databases: Databases;
  /** Of this process, for files that are no database in use. */
  readonly files: Files;
  /** An existing, empty directory. */
  readonly dir: string;
  /** Starts an application that makes or opens the database; its `-wal` and `-shm` are there afterwards. */
  readonly application: (path: string) => Promise<ContractApplication>;
  /** The same with locking_mode=EXCLUSIVE. Missing where there is none: then why. */
  readonly exclusiveApplication: ((path: string) => Promise<ContractApplication>) | string;
}

export interface DatabasesCase {
  readonly title: string;
  /** `path`: where the database is to be. */
  readonly body: (world: DatabasesWorld, path: string) => Promise<void>;
  readonly needsExclusive?: boolean;
}

/** Where in the `-shm` (https://www.sqlite.org/walformat.html), in this machine's byte order. */
export const SHM = { size: 136, copyBytes: 48, mxFrame: 16, salts: 32, backfilled: 96 } as const;

export interface Shm {
  readonly mxFrame: number;
  readonly backfilled: number;
  readonly salts: string;
}

/** The header as it is; no commit may be under way. */
export function readShm(handle: DatabaseHandle): Shm {
  const bytes = new Uint8Array(SHM.size);
  assert.equal(handle.readShm(bytes, 0), SHM.size);
  const [one, two] = [bytes.subarray(0, SHM.copyBytes), bytes.subarray(SHM.copyBytes, 2 * SHM.copyBytes)];
  assert.ok(bytesEqual(one, two), 'both copies of the header are equal');
  return {
    mxFrame: view(bytes).getUint32(SHM.mxFrame, true),
    backfilled: view(bytes).getUint32(SHM.backfilled, true),
    salts: [...bytes.subarray(SHM.salts, SHM.salts + 8)].join(),
  };
}

export function readAll(read: (into: Uint8Array, at: number) => number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  assert.equal(read(bytes, 0), size);
  return bytes;
}

export function readMain(handle: DatabaseHandle): Uint8Array {
  return readAll((into, at) => handle.readMain(into, at), handle.mainSize());
}

export function junk(files: Files, path: string): void {
  const fd = files.open(path, 'create');
  files.write(fd, utf8('this is no database. '.repeat(100)), 0);
  files.close(fd);
}
