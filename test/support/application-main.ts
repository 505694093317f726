/**
 * The application's program: an ordinary user of SQLite, in a process of its own, that does what its standard
 * input says. `node application-main.ts DATABASE OPTIONS-JSON`; see application.ts for the other side.
 *
 * At full speed it commits in slices and says once a slice what was acknowledged by when. What it has not
 * said when it is killed was perhaps committed, perhaps not.
 */

import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

import { must, unreachable } from '../../src/base/assert.ts';
import type {
  Acknowledged,
  ApplicationOptions,
  CheckpointAnswer,
  Command,
  Message,
  Work,
} from './application-protocol.ts';
import { CHAIN_SCHEMA, chainHash } from './chain.ts';

const DEFAULTS = { padBytes: 100, rowsPerCommit: 1, busyTimeoutMs: 5_000 } as const;

/** How long a slice at full speed lasts before commands are looked for. */
const SLICE_MS = 5;

class Application {
  readonly #database: DatabaseSync;
  #insert: StatementSync | null = null;
  #rows = 0;
  #hash = '';
  #running: Work | null = null;

  constructor(path: string, options: ApplicationOptions) {
    this.#database = new DatabaseSync(path, { timeout: options.busyTimeoutMs ?? DEFAULTS.busyTimeoutMs });
    const pragmas = {
      page_size: options.pageSize,
      auto_vacuum: options.autoVacuum,
      locking_mode: options.lockingMode,
      journal_mode: options.journalMode ?? 'wal',
      synchronous: options.synchronous,
      wal_autocheckpoint: options.walAutocheckpoint,
    };
    for (const [name, value] of Object.entries(pragmas)) {
      if (value !== undefined) this.#database.exec(`PRAGMA ${name} = ${value}`);
    }
    // The first real use of the file: the -wal and the -shm are there afterwards.
    this.#database.prepare('SELECT count(*) FROM sqlite_schema').get();
  }

  obey(command: Command): unknown {
    switch (command.op) {
      case 'exec':
        this.#database.exec(command.sql);
        return null;
      case 'all':
        return this.#database.prepare(command.sql).all();
      case 'commit':
        this.#continue();
        for (let i = 0; i < command.commits; i++) this.#commit(command.work);
        return { row: this.#rows, wallMs: Date.now() };
      case 'checkpoint': {
        const answer = this.#database.prepare(`PRAGMA wal_checkpoint(${command.mode})`).get();
        return {
          busy: answer?.['busy'] === 1,
          walFrames: Number(answer?.['log']),
          backfilledFrames: Number(answer?.['checkpointed']),
        } satisfies CheckpointAnswer;
      }
      case 'start':
        this.#continue();
        this.#running = command.work;
        setImmediate(() => this.#slice());
        return null;
      case 'stop':
        this.#running = null;
        return { row: this.#rows, wallMs: Date.now() };
      case 'close':
        this.#running = null;
        this.#database.close();
        return null;
      default:
        return unreachable(command);
    }
  }

  #commit(work: Work): void {
    const insert = must(this.#insert, 'the table is there');
    const count = work.rowsPerCommit ?? DEFAULTS.rowsPerCommit;
    if (count > 1) this.#database.exec('BEGIN IMMEDIATE');
    let [rows, hash] = [this.#rows, this.#hash];
    for (let i = 0; i < count; i++) {
      const pad = randomBytes(work.padBytes ?? DEFAULTS.padBytes);
      hash = chainHash(hash, ++rows, pad);
      insert.run(rows, hash, pad);
    }
    if (count > 1) this.#database.exec('COMMIT');
    [this.#rows, this.#hash] = [rows, hash];
  }

  /** Makes the table where there is none, and goes on after its last row, whoever wrote it. */
  #continue(): void {
    if (this.#insert === null) {
      this.#database.exec(CHAIN_SCHEMA);
      this.#insert = this.#database.prepare('INSERT INTO chain VALUES (?, ?, ?)');
    }
    const last = this.#database.prepare('SELECT n, hash FROM chain ORDER BY n DESC LIMIT 1').get();
    this.#rows = Number(last?.['n'] ?? 0);
    this.#hash = String(last?.['hash'] ?? '');
  }

  #slice(): void {
    const work = this.#running;
    if (work === null) return;
    const acknowledged: Acknowledged[] = [];
    const endMs = performance.now() + SLICE_MS;
    try {
      while (performance.now() < endMs) {
        this.#commit(work);
        const ack = { row: this.#rows, wallMs: Date.now() };
        if (acknowledged.at(-1)?.wallMs === ack.wallMs) acknowledged.pop();
        acknowledged.push(ack);
      }
    } catch (error) {
      this.#running = null;
      say(failure(error));
    }
    say({ says: 'acknowledged', rows: acknowledged });
    setImmediate(() => this.#slice());
  }
}

function opened(): Application {
  const [path = '', options = '{}'] = process.argv.slice(2);
  try {
    return new Application(path, JSON.parse(options) as ApplicationOptions);
  } catch (error) {
    say(failure(error));
    return process.exit(1);
  }
}

function say(message: Message): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function failure(error: unknown): Message {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) : null;
  return { says: 'error', message: String(error), resultCode: code };
}

const application = opened();
say({ says: 'answer', value: null });
const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => {
  const command = JSON.parse(line) as Command;
  try {
    const value = application.obey(command);
    say({ says: 'answer', value });
  } catch (error) {
    say(failure(error));
  }
  if (command.op === 'close') process.exit(0);
});
// The test is gone: so is its application, as if it had been killed.
commands.on('close', () => process.exit(1));
