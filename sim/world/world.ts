/**
 * A simulated world: one seed, one machine's disk and clock, any number of processes and applications on it.
 *
 *     const world = new SimWorld(7);
 *     const app = world.application('/data/app.db');
 *     const machine = world.machine(world.process('millrace'));
 *     await world.run(work(machine));
 */

import type { Log, LogFields } from '../../src/base/log.ts';
import type { Clock, JobTable, Machine } from '../../src/base/ports.ts';
import { SimChance } from './chance.ts';
import { SimClock } from './clock.ts';
import { SqliteApplication } from './database.ts';
import type { ApplicationOptions } from './database.ts';
import { SimDatabases } from './databases.ts';
import { SimDisk } from './disk.ts';
import { SimFiles } from './files.ts';
import { SimPool } from './pool.ts';
import { SimProcess } from './process.ts';
import { Trace } from './trace.ts';

/** The ports of a simulated process, with what can be made to go wrong in them. */
export interface SimMachine extends Machine {
  readonly process: SimProcess;
  readonly files: SimFiles;
  readonly databases: SimDatabases;
  readonly logged: readonly string[];
}

/** One simulated world. */
export class SimWorld {
  readonly seed: number;
  readonly chance: SimChance;
  readonly trace: Trace = new Trace();
  readonly clock: SimClock;
  readonly disk: SimDisk;
  readonly processes: SimProcess[] = [];
  readonly applications: SqliteApplication[] = [];

  constructor(seed: number) {
    this.seed = seed;
    this.chance = new SimChance(seed, 'world');
    this.clock = new SimClock(this.chance.fork('clock'));
    this.disk = new SimDisk(this.chance.fork('disk'), () => this.clock.wallMs);
  }

  /** Starts a process. */
  process(label: string): SimProcess {
    const process = new SimProcess(this, label);
    this.processes.push(process);
    return process;
  }

  /** A clock of the world outside of this machine, which no power failure stops. */
  outsideClock(): Clock {
    return new SimProcess(this, 'outside').clock;
  }

  /** The ports of a process. */
  machine(process: SimProcess): SimMachine {
    const { clock, chance } = process;
    const files = new SimFiles(process, this.disk, this.clock);
    const databases = new SimDatabases(process, this.disk, this.clock);
    const logged: string[] = [];
    return { process, clock, chance, files, databases, log: logTo(process, logged), logged };
  }

  /** Worker threads of a process. */
  pool<Jobs extends JobTable>(process: SimProcess, jobs: Jobs, width?: number): SimPool<Jobs> {
    return new SimPool(process, this.clock, jobs, width);
  }

  /** An application with a database of its own. */
  application(path: string, options: ApplicationOptions = {}): SqliteApplication {
    const chance = this.chance.fork(path);
    const app = SqliteApplication.create(this.disk, path, chance, {
      nowMs: () => this.clock.nowMs,
      ...options,
    });
    this.applications.push(app);
    return app;
  }

  /** The power fails: every process and application dies, and what was not fsynced may be gone. */
  losePower(): void {
    this.trace.note('power failure');
    for (const process of this.processes) process.kill();
    for (const app of this.applications) if (app.isOpen) app.crash();
    this.disk.losePower();
  }

  /** Lets the world run until `work` is done. */
  run<T>(work: Promise<T>): Promise<T> {
    return this.clock.run(work);
  }
}

function logTo(process: SimProcess, lines: string[]): Log {
  const line =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      const facts = Object.entries(fields).map(([name, value]) => ` ${name}=${String(value)}`);
      lines.push(`${level} ${message}${facts.join('')}`);
      process.note(level, message);
    };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}
