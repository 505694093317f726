/** The command line as a child process, as users run it. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const ROOT: string = join(import.meta.dirname, '../..');
export const MAIN: string = join(ROOT, 'src/cli/main.ts');

/** How a command ended. */
export interface CliEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  /** Runs as this user; only root can ask for it. */
  readonly uid?: number;
}

/** A Fault as `--json` prints it. */
export interface CliError {
  readonly kind: string;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly exitCode: number;
}

/** Runs a command to its end. */
export async function cli(args: readonly string[], options: CliOptions = {}): Promise<CliEnd> {
  return await new CliChild(args, options).ended;
}

/** The JSON object that a command printed as its result. */
export function resultOf(end: CliEnd): Record<string, unknown> {
  if (end.code !== 0) throw new Error(`exit code ${end.code}: ${end.stderr}`);
  return JSON.parse(end.stdout) as Record<string, unknown>;
}

/** The failure that a command printed with `--json`: the last line of stderr. */
export function errorOf(end: CliEnd): CliError {
  const line = end.stderr.trim().split('\n').at(-1) ?? '';
  return (JSON.parse(line) as { error: CliError }).error;
}

/** A command that runs on. */
export class CliChild {
  readonly ended: Promise<CliEnd>;
  readonly #process: ChildProcess;
  readonly #lines: Record<string, unknown>[] = [];
  #waiter: (() => void) | undefined;
  #end: CliEnd | undefined;
  #stderr = '';

  constructor(args: readonly string[], options: CliOptions = {}) {
    const child = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    this.#process = child;
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    if (args.includes('--json')) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.#lines.push(JSON.parse(line) as Record<string, unknown>);
        this.#waiter?.();
      });
    }
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        this.#end = { code, signal, stdout, stderr: this.#stderr };
        resolve(this.#end);
        this.#waiter?.();
      });
    });
  }

  /** What was written to stderr so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** The JSON lines so far. */
  get lines(): readonly Record<string, unknown>[] {
    return this.#lines;
  }

  /** The first JSON line that `isIt`; fails when the command ends without it. */
  async line(isIt: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.#lines.find(isIt);
      if (found !== undefined) return found;
      if (this.#end !== undefined) throw new Error(`ended with ${this.#end.code}: ${this.#end.stderr}`);
      await new Promise<void>((resolve) => (this.#waiter = resolve));
    }
  }

  /** Kills it if it still runs: for the end of a test, whatever came of that. */
  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL');
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }
}
