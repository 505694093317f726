/** The demo's child processes: the writer, and Millrace's own commands as a user would run them. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../base/fault.ts';
import { moduleUrl } from '../module-url.ts';

const MAIN = fileURLToPath(moduleUrl('../main.ts', import.meta.url));
const WRITER = fileURLToPath(moduleUrl('./writer.ts', import.meta.url));

export const LIMITS = { stderrCharsMax: 10_000 } as const;

/** One line of `millrace replicate --json` about a confirmed upload; others have other names. */
export interface DurableLine {
  readonly event: string;
  readonly txid: string;
  readonly walMs: number;
  readonly bytes: number;
}

/** A child process, what it complained about, and its end. */
export class Child {
  readonly pid: number;
  readonly ended: Promise<number | null>;
  readonly #process: ChildProcess;
  #stderr = '';
  #isEnded = false;

  constructor(child: ChildProcess) {
    this.#process = child;
    this.pid = child.pid ?? 0;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-LIMITS.stderrCharsMax);
    });
    this.ended = new Promise((resolve) => {
      child.on('close', (code) => {
        this.#isEnded = true;
        resolve(code);
      });
    });
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get stderr(): string {
    return this.#stderr;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Throws a Fault if the child, which should go on for ever, has ended. */
  mustRun(name: string): void {
    if (!this.#isEnded) return;
    throw new Fault('unavailable', 'demo-child-ended', `${name} (pid ${this.pid}) ended by itself`, {
      hint: this.#stderr.trim() || 'it said nothing',
    });
  }
}

/** Starts the writer; its acknowledgements go to the file `acknowledgements`. */
export function writerStart(database: string, acknowledgements: string): Child {
  const out = openSync(acknowledgements, 'a');
  try {
    return new Child(spawn(process.execPath, [WRITER, database], { stdio: ['ignore', out, 'pipe'] }));
  } finally {
    closeSync(out);
  }
}

/** Starts `millrace replicate --json`; every line that it prints is told to `onLine`. */
export function replicateStart(database: string, url: string, onLine: (line: DurableLine) => void): Child {
  const child = spawn(process.execPath, [MAIN, 'replicate', database, url, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    onLine(JSON.parse(text) as DurableLine);
  });
  return new Child(child);
}

/** Runs `millrace restore --json` to its end and returns its report. */
export async function restoreRun(args: readonly string[]): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, [MAIN, 'restore', ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const running = new Child(child);
  const code = await running.ended;
  if (code === 0) return JSON.parse(text) as Record<string, unknown>;
  throw new Fault(
    'unavailable',
    'demo-restore-failed',
    `\`millrace restore ${args.join(' ')}\` exited with ${code}`,
    {
      hint: running.stderr.trim(),
    },
  );
}
