/**
 * SQLite's own shell with Litestream's extension in it, on a pipe: another program reads (and writes) an
 * archive by its own rules.
 *
 * Litestream is configured by the environment that a process starts with, so every replica has a shell of
 * its own. What it did in the background (restoring to a file, uploading) shows in its log only.
 */

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import { litestreamExtension, litestreamSkip } from './litestream.ts';
import { until, within } from './until.ts';

const DONE = '-- done --';

/** How a shell uses its replica. */
export interface ShellOptions {
  /** Has Litestream restore the replica to `hydrated`. */
  readonly isHydrating?: boolean;
  /** Lets SQL write to the replica. */
  readonly isWriting?: boolean;
}

const missing: string | false =
  spawnSync('sqlite3', ['--version']).error === undefined
    ? litestreamSkip
    : 'sqlite3 is not installed (`npm run setup` installs it)';

/**
 * Why tests with the shell are skipped, or `false`. In continuous integration they are not skipped: they
 * fail.
 */
export const litestreamShellSkip: string | false = process.env['CI'] === 'true' ? false : missing;

/** A running shell. Ends with its block: `await using shell = await LitestreamShell.open(…)`. */
export class LitestreamShell implements AsyncDisposable {
  /** The file that a hydrating shell restores to. */
  readonly hydrated: string;
  readonly #log: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #exited: Promise<unknown>;
  #lines: string[] = [];
  #answered: PromiseWithResolvers<readonly string[]> | null = null;

  private constructor(archive: string, directory: string, options: ShellOptions) {
    this.hydrated = join(directory, 'hydrated.db');
    this.#log = join(directory, 'litestream.log');
    const env = {
      PATH: process.env['PATH'],
      LITESTREAM_REPLICA_URL: `file://${archive}`,
      LITESTREAM_LOG_FILE: this.#log,
      LITESTREAM_LOG_LEVEL: 'DEBUG',
      LITESTREAM_SYNC_INTERVAL: '50ms',
      LITESTREAM_BUFFER_PATH: join(directory, 'unwritten'),
      LITESTREAM_HYDRATION_PATH: this.hydrated,
      LITESTREAM_HYDRATION_ENABLED: String(options.isHydrating ?? false),
      LITESTREAM_WRITE_ENABLED: String(options.isWriting ?? false),
    };
    // Errors belong between the rows, where they happened.
    this.#child = spawn('sh', ['-c', 'exec sqlite3 -batch 2>&1'], {
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#exited = once(this.#child, 'close').then(() =>
      this.#answered?.reject(new Error('the shell ended')),
    );
    this.#child.stdin.on('error', () => {});
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#heard(line));
  }

  /**
   * Opens the replica in `archive`; log and restored file come to lie in `directory`, which must be fresh.
   */
  static async open(
    archive: string,
    directory: string,
    options: ShellOptions = {},
  ): Promise<LitestreamShell> {
    if (missing !== false) throw new Error(missing);
    const shell = new LitestreamShell(archive, directory, options);
    await shell.#run(`.load ${litestreamExtension}`);
    await shell.#run('.open file:replica.db?vfs=litestream');
    return shell;
  }

  /**
   * Runs SQL, and returns its rows: columns are separated by `|`. Throws an Error with what SQLite says of
   * it.
   */
  async query(sql: string): Promise<readonly string[]> {
    return await this.#run(`${sql};`);
  }

  /** What Litestream logged as amiss. */
  complaints(): readonly string[] {
    return this.#logText().match(/.*level=(?:WARN|ERROR).*/g) ?? [];
  }

  /** Waits until Litestream has restored the replica; what it says went wrong, or `null`. */
  async hydration(): Promise<string | null> {
    const isOver = (): boolean => /hydration (complete|failed)/.test(this.#logText());
    await until(isOver, { what: 'Litestream has restored the replica' });
    return /hydration failed.*/.exec(this.#logText())?.[0] ?? null;
  }

  /** Waits until Litestream has uploaded `count` files since it was opened. */
  async uploads(count: number): Promise<void> {
    const isUp = (): boolean => (this.#logText().match(/synced to remote/g) ?? []).length >= count;
    await until(isUp, { what: `Litestream has uploaded ${count} files` });
  }

  /** Closes the replica, and ends. */
  async close(): Promise<void> {
    this.#child.stdin.end('.quit\n');
    await within(this.#exited, { what: 'the shell ends' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async #run(command: string): Promise<readonly string[]> {
    if (this.#answered !== null) throw new Error('one query at a time');
    const answered = Promise.withResolvers<readonly string[]>();
    this.#answered = answered;
    this.#child.stdin.write(`${command}\n.print "${DONE}"\n`);
    const lines = await within(answered.promise, { what: `the shell has run ${command}` });
    const error = lines.find((line) => /^(Error|\w+ error)\b/.test(line));
    if (error !== undefined) throw new Error(`${command}: ${error}`);
    return lines;
  }

  #heard(line: string): void {
    if (line !== DONE) {
      this.#lines.push(line);
      return;
    }
    const answered = this.#answered;
    this.#answered = null;
    answered?.resolve(this.#lines);
    this.#lines = [];
  }

  #logText(): string {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8') : '';
  }
}
