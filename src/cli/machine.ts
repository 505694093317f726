/**
 * The composition root: the real machine, archives by URL, worker threads. The one place that chooses
 * implementations.
 */

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { LogLevel } from '../base/log.ts';
import type { Machine } from '../base/ports.ts';
import type { RestoreJobs } from '../engine/jobs.ts';
import { hostChance } from '../host/chance.ts';
import { hostClock } from '../host/clock.ts';
import { hostDatabases } from '../host/databases.ts';
import { hostFiles } from '../host/files.ts';
import { hostLog, logFormat } from '../host/log.ts';
import { WorkerPool } from '../host/pool.ts';
import { Archive } from '../storage/archive.ts';
import { FileStore } from '../storage/file-store.ts';
import { storeUrlParse } from '../storage/store-url.ts';
import { moduleUrl } from './module-url.ts';

export const LIMITS = { poolWidthMax: 8 } as const;

export interface MachineOptions {
  /** The least that is logged; `warn` unless given. */
  readonly logLevel?: LogLevel;
  /** JSON lines, or text; what standard error is made for unless given. */
  readonly logFormat?: 'json' | 'text';
  /** Where log lines go; standard error unless given. */
  readonly logTo?: { write(line: string): unknown };
}

/** This machine, for the engine. */
export function hostMachine(options: MachineOptions = {}): Machine {
  const to = options.logTo === undefined ? {} : { to: options.logTo };
  return {
    clock: hostClock,
    chance: hostChance,
    files: hostFiles,
    databases: hostDatabases,
    log: hostLog({ level: options.logLevel ?? 'warn', format: options.logFormat ?? logFormat(), ...to }),
  };
}

/** The archive at `url`: `file:///path`, or the path of a directory. Nothing is read or written yet. */
export function archiveOpen(machine: Machine, url: string): Archive {
  return new Archive(new FileStore(machine, resolve(storeUrlParse(url).path)));
}

/** Worker threads for restoring. They start with their first job; close them at the end. */
export function poolOpen(): WorkerPool<RestoreJobs> {
  const width = Math.min(LIMITS.poolWidthMax, availableParallelism());
  return new WorkerPool<RestoreJobs>({ script: moduleUrl('./worker.ts', import.meta.url), width });
}
