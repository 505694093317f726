/**
 * A Millrace that replicates, in a process of its own: it can be asked for durability, ended in order, and
 * killed.
 *
 * The test's process has no descriptors of the database then, and may open and close its files at will.
 */

import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import { within } from './until.ts';

/** How it replicates: the replicator's options of these names. */
export interface MillraceOptions {
  readonly uploadIntervalMs?: number;
  readonly sealBytesMax?: number;
  readonly imageBytesMax?: number;
}

/** What its program says, one JSON object a line. */
export type MillraceMessage =
  | { readonly says: 'ready' | 'durable' }
  | { readonly says: 'event'; readonly event: string; readonly decision?: string };

/** A running Millrace. Ends with its block: `await using millrace = await MillraceProcess.start(…)`. */
export class MillraceProcess implements AsyncDisposable {
  /** How often each event came; starts by their decision. */
  readonly events: Map<string, number> = new Map();
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #exited: Promise<unknown>;
  #answered: PromiseWithResolvers<void> | null = null;

  private constructor(args: readonly string[]) {
    const program = new URL('millrace-process-main.ts', import.meta.url).pathname;
    this.#child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#exited = once(this.#child, 'close').then(() => this.#answered?.reject(new Error('Millrace ended')));
    this.#child.stdin.on('error', () => {});
    createInterface({ input: this.#child.stdout }).on('line', (line) =>
      this.#heard(JSON.parse(line) as MillraceMessage),
    );
  }

  /** Starts replicating `database` to the archive in a directory, and waits until continuity is settled. */
  static async start(
    database: string,
    archive: string,
    options: MillraceOptions = {},
  ): Promise<MillraceProcess> {
    const millrace = new MillraceProcess([database, archive, JSON.stringify(options)]);
    await millrace.#answer('it replicates');
    return millrace;
  }

  /** Resolves when everything that was committed before is durable. */
  async durable(): Promise<void> {
    this.#child.stdin.write('durable\n');
    await this.#answer('all is durable');
  }

  /** Ends in order: everything committed is durable afterwards. */
  async stop(): Promise<void> {
    this.#child.stdin.end();
    await within(this.#exited, { what: 'Millrace ends' });
    if (this.#child.exitCode !== 0) throw new Error(`Millrace ended with ${this.#child.exitCode}`);
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.kill();
  }

  async #answer(what: string): Promise<void> {
    this.#answered = Promise.withResolvers();
    await within(this.#answered.promise, { what });
    this.#answered = null;
  }

  #heard(message: MillraceMessage): void {
    if (message.says !== 'event') {
      this.#answered?.resolve();
      return;
    }
    const name = message.decision ?? message.event;
    this.events.set(name, (this.events.get(name) ?? 0) + 1);
  }
}
