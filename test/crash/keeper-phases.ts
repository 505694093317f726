/**
 * Real ports that may end the process at a named point: `kill -9` by its own hand, before or after a call.
 */

import type { DatabaseHandle, Databases, Files } from '../../src/base/ports.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';

/** The phases of replication in which a process is killed. */
export const KEEPER_PHASES = [
  'attach',
  'capture',
  'difference',
  'seal recorded',
  'state replaced',
  'PUT sent',
  'PUT file',
  'PUT answered',
] as const;

export type KeeperPhase = (typeof KEEPER_PHASES)[number];

/** Where to die: at the `count`th call (from 1) of a phase. */
export interface KillPlan {
  readonly phase: KeeperPhase;
  readonly count: number;
}

/** Counts calls by phase, and carries out a plan. */
export class KillSwitch {
  readonly #plan: KillPlan | null;
  #calls = 0;

  constructor(plan: KillPlan | null) {
    this.#plan = plan;
  }

  enter(phase: KeeperPhase | null): void {
    if (phase === null || phase !== this.#plan?.phase || ++this.#calls < this.#plan.count) return;
    process.kill(process.pid, 'SIGKILL');
    // The signal is pending; nothing after this line may happen.
    for (;;);
  }
}

type Phasing = (method: string, path: string) => KeeperPhase | null;

/**
 * `target` with every method announced before it is called. The first argument that is a text is its path.
 */
function announced<T extends object>(target: T, announce: (method: string, path: string) => void): T {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name, object);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]): unknown => {
        const path = args.find((arg) => typeof arg === 'string' && arg.startsWith('/'));
        announce(String(name), typeof path === 'string' ? path : '');
        return Reflect.apply(value, object, args) as unknown;
      };
    },
  });
}

/** Files that die by the switch. Descriptors are known by the path that they were opened with. */
export function killingFiles(files: Files, kill: KillSwitch, archive: string): Files {
  const paths = new Map<number, string>();
  const phaseOf: Phasing = (method, path) => {
    if (path.startsWith(archive)) return 'PUT file';
    if (!/-millrace\//.test(path)) return null;
    return method === 'write' && path.endsWith('/pages') ? 'seal recorded' : 'state replaced';
  };
  return new Proxy(files, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name, object);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]): unknown => {
        const first = args[0];
        const path = typeof first === 'number' ? (paths.get(first) ?? '') : String(first);
        kill.enter(phaseOf(String(name), path));
        const result = Reflect.apply(value, object, args) as unknown;
        if (name === 'open' && typeof result === 'number') paths.set(result, path);
        return result;
      };
    },
  });
}

/** Databases that die by the switch. */
export function killingDatabases(databases: Databases, kill: KillSwitch): Databases {
  const phases: Readonly<Record<string, KeeperPhase>> = {
    attach: 'attach',
    readWal: 'capture',
    readShm: 'capture',
    readMain: 'difference',
    pin: 'difference',
    unpin: 'difference',
  };
  const announce = (method: string): void => kill.enter(phases[method] ?? null);
  return announced(
    { ...databases, open: (path: string): DatabaseHandle => announced(databases.open(path), announce) },
    announce,
  );
}

/** A store that dies by the switch, before a PUT or between its effect and its answer. */
export function killingStore(store: ObjectStore, kill: KillSwitch): ObjectStore {
  return new Proxy(store, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name, object);
      if (typeof value !== 'function') return value;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        if (name === 'put') kill.enter('PUT sent');
        const result = (await Reflect.apply(value, object, args)) as unknown;
        if (name === 'put') kill.enter('PUT answered');
        return result;
      };
    },
  });
}
