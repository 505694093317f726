/**
 * The public API: an explicit list of names. Everything else is Millrace's own business.
 *
 * Nothing here may run inside the application's process: POSIX locks belong to a process, so closing a file
 * of the database would drop the application's own (I12). Run it in a process beside the application.
 *
 * @example
 * import { archiveOpen, hostMachine, poolOpen, Replicator, restore } from 'millrace';
 *
 * const machine = hostMachine();
 * const archive = archiveOpen(machine, 'file:///backup/app');
 * await using replicator = await Replicator.open(machine, '/srv/app.db', archive);
 * await replicator.once();
 *
 * await using pool = poolOpen();
 * await restore(machine, pool, archive, { to: '/srv/restored.db' });
 */

export { Bug } from './base/assert.ts';
export { Fault, isFault } from './base/fault.ts';
export type { FaultKind, FaultOptions } from './base/fault.ts';
export { txidFormat, txidParse } from './base/ids.ts';
export type { Txid, WallMs } from './base/ids.ts';
export type { Log, LogFields, LogLevel } from './base/log.ts';
export type { Chance, Clock, Databases, Files, Machine, Pool } from './base/ports.ts';
export { archiveOpen, hostMachine, poolOpen } from './cli/machine.ts';
export type { MachineOptions } from './cli/machine.ts';
export { archiveSummary } from './engine/ls.ts';
export type { ArchiveSummary } from './engine/ls.ts';
export { Replicator } from './engine/replicator.ts';
export type { ReplicateEvent, ReplicateOptions, ReplicateStatus } from './engine/replicate-options.ts';
export { restore } from './engine/restore.ts';
export type { RestoreOptions, RestoreProgress, RestoreReport } from './engine/restore.ts';
export type { RestoreTarget } from './engine/restore-plan.ts';
export { Archive } from './storage/archive.ts';
export type { ObjectStore } from './storage/object-store.ts';
