/**
 * How far a database is in its archive: measured against what the archive has, never against what somebody
 * intended.
 *
 * The archive's newest header says where in the log it ends. The same log: the distance is exact. Nobody
 * has the database open: its checksum is compared. Anything else is unknown, and is called so.
 */

import { isFault } from '../base/fault.ts';
import { Fault } from '../base/fault.ts';
import type { Txid, WallMs } from '../base/ids.ts';
import type { DatabaseHandle, Machine } from '../base/ports.ts';
import { mapVisitor } from '../engine/difference.ts';
import { readAtRest } from '../engine/image.ts';
import { LogReader } from '../engine/log-reader.ts';
import { stateDir, stateIdentity } from '../engine/state.ts';
import type { LtxHeader } from '../format/ltx-header.ts';
import { frameBytes, frameOffset } from '../format/wal.ts';
import type { Archive } from '../storage/archive.ts';

/** Whether the archive has everything: `current` or `behind` by measurement, else `unknown`. */
export interface Lag {
  readonly lag: 'current' | 'behind' | 'unknown';
  /** Bytes of the log that the archive does not have; `null`: not known. */
  readonly behindBytes: number | null;
  readonly reason: string;
}

/** What `millrace status` tells. */
export interface DatabaseStatus extends Lag {
  readonly database: string;
  readonly databaseBytes: number | null;
  readonly walBytes: number | null;
  /** Whether a process replicates it at this moment. */
  readonly isReplicated: boolean;
  readonly archive: string;
  readonly lineage: string;
  /** The newest TXID in the archive and its time; `null`: the archive is empty. */
  readonly txid: Txid | null;
  readonly timestampMs: WallMs | null;
}

/** Which archive `database` was replicated to. Fault `not-replicated`. */
export function archiveUrlOf(machine: Machine, database: string): { url: string; lineage: string } {
  const identity = stateIdentity(machine.files, database);
  if (identity !== null) return identity;
  throw new Fault(
    'invalid',
    'not-replicated',
    `there is no ${stateDir(database)}: ${database} was not replicated here`,
    {
      hint: `\`millrace replicate ${database} URL\` begins; to look at an archive: \`millrace ls URL\``,
    },
  );
}

/** Asks database and archive. */
export async function databaseStatus(
  machine: Machine,
  archive: Archive,
  database: string,
): Promise<DatabaseStatus> {
  const { url, lineage } = archiveUrlOf(machine, database);
  const file = await archive.head();
  const header = file === null ? null : await archive.readHeader(file);
  const { main, wal } = machine.databases.probe(database);
  return {
    database,
    databaseBytes: main?.size ?? null,
    walBytes: wal?.size ?? null,
    isReplicated: isReplicated(machine, database),
    archive: url,
    lineage,
    txid: header?.maxTxid ?? null,
    timestampMs: header?.timestampMs ?? null,
    ...(await lagOf(machine, database, header)),
  };
}

function isReplicated(machine: Machine, database: string): boolean {
  const lock = machine.files.lock(`${stateDir(database)}/lock`);
  lock?.close();
  return lock === null;
}

async function lagOf(machine: Machine, database: string, header: LtxHeader | null): Promise<Lag> {
  if (header === null) return unknown('the archive is empty');
  const { main, wal, shm } = machine.databases.probe(database);
  if (main === null) return unknown('the database is gone');
  const handle = machine.databases.open(database);
  try {
    if (wal === null || shm === null) return await lagAtRest(machine, handle, header);
    handle.attach();
    return lagInLog(handle, header);
  } catch (error) {
    if (isFault(error)) return unknown(error.message);
    throw error;
  } finally {
    handle.close();
  }
}

function lagInLog(handle: DatabaseHandle, header: LtxHeader): Lag {
  const { pageSize, walSalt1, walSalt2, walOffset, walSize } = header;
  const index = new LogReader(handle, pageSize).index();
  if (index === null) return unknown('the log is being written');
  if (index.salt1 !== walSalt1 || index.salt2 !== walSalt2) {
    return unknown('the log was restarted after the newest upload');
  }
  const behindBytes = frameOffset(index.mxFrame, pageSize) - (walOffset + walSize);
  if (behindBytes < 0) return unknown('the archive is ahead of the log');
  const frames = behindBytes / frameBytes(pageSize);
  const lag = frames === 0 ? 'current' : 'behind';
  return {
    lag,
    behindBytes,
    reason: frames === 0 ? 'the archive ends where the log ends' : `${frames} frames`,
  };
}

async function lagAtRest(machine: Machine, handle: DatabaseHandle, header: LtxHeader): Promise<Lag> {
  const { pageSize, rolling } = header;
  const post = rolling?.post;
  if (post === undefined) return unknown('the archive holds no checksum of the whole database');
  const subject = { handle, pageSize };
  const reading = await readAtRest(machine.clock, machine.databases, subject, () => mapVisitor(pageSize));
  if (reading === null) return unknown('the database is being opened');
  if (reading.value.rolling === post)
    return { lag: 'current', behindBytes: 0, reason: 'the checksums are equal' };
  return {
    lag: 'behind',
    behindBytes: null,
    reason: 'nobody has it open, and its checksum differs from the archive',
  };
}

function unknown(reason: string): Lag {
  return { lag: 'unknown', behindBytes: null, reason };
}
