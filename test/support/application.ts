/**
 * An application: a child process that uses a database with plain SQLite, as Millrace's users do.
 *
 * It knows nothing of Millrace. It can be asked for SQL, for rows of the chain (chain.ts) one commit at a
 * time or at full speed, for checkpoints, for a clean close; and it can be killed at any moment. One command
 * at a time.
 */

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import type {
  Acknowledged,
  ApplicationOptions,
  CheckpointAnswer,
  CheckpointMode,
  Command,
  Message,
  Work,
} from './application-protocol.ts';

export type {
  Acknowledged,
  ApplicationOptions,
  CheckpointAnswer,
  CheckpointMode,
  Work,
} from './application-protocol.ts';

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** What SQLite told the application, as an error in the test. */
export class ApplicationError extends Error {
  override readonly name = 'ApplicationError';
  /** SQLite's extended result code, if it was SQLite. */
  readonly resultCode: number | null;

  constructor(message: string, resultCode: number | null) {
    super(message);
    this.resultCode = resultCode;
  }
}

/** A running application. Ends with its block: `await using application = await Application.start(…)`. */
export class Application implements AsyncDisposable {
  readonly #child: Child;
  readonly #exited: Promise<unknown>;
  #waiting: PromiseWithResolvers<unknown> | null = null;
  #failure: ApplicationError | null = null;
  #acknowledged: Acknowledged[] = [];
  #hasExited = false;

  private constructor(child: Child) {
    this.#child = child;
    this.#exited = once(child, 'close').then(() => this.#ended());
    // A command may cross with the child's death; what it was waiting for is rejected by `#ended`.
    child.stdin.on('error', () => {});
    createInterface({ input: child.stdout }).on('line', (line) => this.#heard(JSON.parse(line) as Message));
  }

  /**
   * Starts a process that opens `database`, and waits until it has. Throws an ApplicationError if it cannot.
   */
  static async start(database: string, options: ApplicationOptions = {}): Promise<Application> {
    const program = new URL('application-main.ts', import.meta.url).pathname;
    const args = ['--disable-warning=ExperimentalWarning', program, database, JSON.stringify(options)];
    const application = new Application(
      spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    await application.#next();
    return application;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What was acknowledged at full speed so far: every row up to `row` by `wallMs`, ascending. */
  get acknowledged(): readonly Acknowledged[] {
    return this.#acknowledged;
  }

  /** Runs SQL. */
  async exec(sql: string): Promise<void> {
    await this.#command({ op: 'exec', sql });
  }

  /** Runs one statement, and returns its rows. */
  async all(sql: string): Promise<readonly Record<string, unknown>[]> {
    return (await this.#command({ op: 'all', sql })) as readonly Record<string, unknown>[];
  }

  /** Adds rows to the chain, `commits` transactions of `rowsPerCommit` each. */
  async commit(commits: number, work: Work = {}): Promise<Acknowledged> {
    return (await this.#command({ op: 'commit', commits, work })) as Acknowledged;
  }

  async checkpoint(mode: CheckpointMode): Promise<CheckpointAnswer> {
    return (await this.#command({ op: 'checkpoint', mode })) as CheckpointAnswer;
  }

  /** Adds rows to the chain at full speed until `stop`; `acknowledged` grows. */
  async startFullSpeed(work: Work = {}): Promise<void> {
    await this.#command({ op: 'start', work });
  }

  /** Ends `startFullSpeed`, and says the last row. Throws what SQLite threw meanwhile. */
  async stop(): Promise<Acknowledged> {
    const last = (await this.#command({ op: 'stop' })) as Acknowledged;
    if (this.#failure !== null) throw this.#failure;
    return last;
  }

  /** Closes the database and ends, as a well-behaved application does. */
  async close(): Promise<void> {
    await this.#command({ op: 'close' });
    await this.#exited;
  }

  /** SIGKILL. Afterwards the process is gone, and `acknowledged` is all that it said. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasExited) await this.kill();
  }

  async #command(command: Command): Promise<unknown> {
    if (this.#hasExited) throw new ApplicationError('the application has ended', null);
    const answer = this.#next();
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    return answer;
  }

  /** The next answer, whatever it is to. */
  async #next(): Promise<unknown> {
    if (this.#waiting !== null) throw new Error('one command at a time');
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  #heard(message: Message): void {
    if (message.says === 'acknowledged') {
      this.#acknowledged.push(...message.rows);
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = null;
    if (message.says === 'answer') {
      waiting?.resolve(message.value);
      return;
    }
    const error = new ApplicationError(message.message, message.resultCode);
    if (waiting === null) this.#failure = error;
    else waiting.reject(error);
  }

  #ended(): void {
    this.#hasExited = true;
    this.#waiting?.reject(new ApplicationError('the application ended', null));
    this.#waiting = null;
  }
}
