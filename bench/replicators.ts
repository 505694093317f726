/**
 * The replicators that are compared: Millrace from this checkout, Litestream v0.3.13 from the npm registry.
 */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = new URL('../src/cli/main.ts', import.meta.url).pathname;
const LITESTREAM = new URL('../node_modules/@flydotio/litestream-linux-x64/litestream', import.meta.url)
  .pathname;
const TICKS_PER_SECOND = 100;

/** A line of `millrace replicate --json`. */
export interface MillraceEvent {
  readonly event: string;
  readonly commits?: number;
  readonly iChange?: number | null;
  readonly reason?: string;
}

/** A replicator at work. */
export interface Replicator {
  /** CPU seconds so far, and resident bytes. */
  usage(): { readonly cpuS: number; readonly rssBytes: number };
  /** Ends it in order. */
  stop(): Promise<void>;
}

function processOf(child: ChildProcess): Replicator {
  const exited = once(child, 'close');
  return {
    usage() {
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      const rss = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? '0';
      return { cpuS: (Number(stat[11]) + Number(stat[12])) / TICKS_PER_SECOND, rssBytes: Number(rss) * 1024 };
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** `millrace replicate --json`, with what it said. */
export class Millrace implements Replicator {
  readonly events: MillraceEvent[] = [];
  readonly #process: Replicator;
  #heard: (() => void)[] = [];

  constructor(database: string, archive: string, flags: readonly string[] = []) {
    const args = [
      '--disable-warning=ExperimentalWarning',
      MAIN,
      'replicate',
      '--json',
      ...flags,
      database,
      archive,
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = processOf(child);
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.events.push(JSON.parse(line) as MillraceEvent);
      for (const resolve of this.#heard.splice(0)) resolve();
    });
  }

  /** The next line for which `is` holds, from event `from` on. */
  async next(is: (event: MillraceEvent) => boolean, from = 0): Promise<MillraceEvent> {
    for (let at = from; ;) {
      for (; at < this.events.length; at++) {
        const event = this.events[at];
        if (event !== undefined && is(event)) return event;
      }
      await new Promise<void>((resolve) => this.#heard.push(resolve));
    }
  }

  usage(): ReturnType<Replicator['usage']> {
    return this.#process.usage();
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}

/** Litestream v0.3.13, with a file replica; intervals as given, its defaults (1 s) otherwise. */
export class Litestream implements Replicator {
  readonly #replica: string;
  readonly #process: Replicator;

  constructor(database: string, dir: string, intervalMs: number | null = null) {
    this.#replica = join(dir, 'litestream');
    const config = join(dir, 'litestream.yml');
    const intervals = intervalMs === null ? '' : `\n        sync-interval: ${intervalMs}ms`;
    const monitor = intervalMs === null ? '' : `\n    monitor-interval: ${intervalMs}ms`;
    writeFileSync(
      config,
      `dbs:\n  - path: ${database}${monitor}\n    replicas:\n` +
        `      - type: file\n        path: ${this.#replica}${intervals}\n`,
    );
    const child = spawn(LITESTREAM, ['replicate', '-config', config], { stdio: 'ignore' });
    this.#process = processOf(child);
  }

  /** Bytes of segments and snapshots in the replica. */
  bytes(): number {
    return sizeBelow(this.#replica);
  }

  usage(): ReturnType<Replicator['usage']> {
    return this.#process.usage();
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}

function sizeBelow(dir: string): number {
  let bytes = 0;
  try {
    for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
      if (entry.isFile() && entry.name.endsWith('.lz4'))
        bytes += statSync(join(entry.parentPath, entry.name)).size;
    }
  } catch {
    // Not there yet, or a file was renamed while it was looked at: the next look counts it.
  }
  return bytes;
}
