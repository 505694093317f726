/**
 * The command line as data for commander: verbs, arguments, options, help. Nothing here does any work.
 *
 * Only light modules are imported, so that `--help` answers at once; `main.ts` loads a command when it runs.
 */

import { Command, InvalidArgumentError, Option } from 'commander';
import { txidParse } from '../base/ids.ts';
import type { Txid, WallMs } from '../base/ids.ts';
import { wallMsParse } from './time.ts';
import { version } from './version.ts';

export type Verb = 'replicate' | 'restore' | 'status' | 'ls' | 'ltx' | 'demo';

export interface ReplicateFlags {
  readonly json?: boolean;
  readonly once?: boolean;
  readonly continue?: boolean;
  readonly uploadInterval?: number;
  readonly drain?: number;
}

export interface RestoreFlags {
  readonly json?: boolean;
  readonly output?: string;
  readonly at?: WallMs;
  readonly txid?: Txid;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

export interface PlainFlags {
  readonly json?: boolean;
}

export interface DemoFlags {
  readonly json?: boolean;
  readonly seconds: number;
  readonly keep?: boolean;
}

/** Carries out one verb. Arguments are as typed; flags are one of the interfaces above. */
export type Dispatch = (verb: Verb, operands: readonly string[], flags: object) => Promise<void>;

const JSON_OPTION = ['--json', 'print JSON, one object a line, and failures as JSON on stderr'] as const;

/** The whole program. `dispatch` is called with the verb that was typed. */
export function program(dispatch: Dispatch): Command {
  const root = new Command('millrace')
    .description(
      'Continuous backup and point-in-time restore of SQLite databases. ' +
        'Runs beside the application, which stays as it is.',
    )
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help, also for a command')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText(
      'after',
      `
A URL is file:///path or a plain path of a directory. A TXID is up to 16
hexadecimal digits. A first SIGINT or SIGTERM ends in good order, a second one
at once. Exit codes: 0 done, 1 a defect, 2 correct the command, 3 try again
later, 4 conflict, 5 fenced, 6 history is missing, 7 corrupt, 75 not all is
durable, 130 and 143 stopped by a signal.`,
    );
  addReplicate(root, dispatch);
  addRestore(root, dispatch);
  addLooking(root, dispatch);
  addDemo(root, dispatch);
  return root;
}

function addReplicate(root: Command, dispatch: Dispatch): void {
  root
    .command('replicate')
    .summary('follow a database and keep its archive up to date')
    .description(
      'Follows the database DB and uploads every commit to the archive at URL, until it is stopped. ' +
        'The first SIGINT or SIGTERM captures and uploads what is committed, then exits: 0, or 75 if ' +
        'something is not durable. The database must be in WAL mode; the application needs no change.',
    )
    .argument('<DB>', 'the database file')
    .argument('<URL>', 'the archive: file:///path, or a directory')
    .option('--once', 'capture and upload everything that is committed, then exit')
    .option(
      '--upload-interval <MS>',
      'at most one upload in so many milliseconds (default: 1000)',
      wholeNumber,
    )
    .option('--drain <MS>', 'how long the last uploads may take after a signal (default: 30000)', wholeNumber)
    .option('--continue', 'continue an archive that this database only seems to descend from, by difference')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      `
With --json there is one line for each confirmed upload:
  {"event":"durable","txid":"000000000000001f","walMs":1767225600000,…}
Every commit that was acknowledged to the application before walMs (Unix time)
is then in the archive.

Examples:
  $ millrace replicate app.db file:///backup/app
  $ millrace replicate app.db /backup/app --once`,
    )
    .action(async (database: string, url: string, flags: ReplicateFlags) =>
      dispatch('replicate', [database, url], flags),
    );
}

function addRestore(root: Command, dispatch: Dispatch): void {
  root
    .command('restore')
    .summary('write a database from its archive, as of any moment')
    .description(
      'Writes the database from the archive at URL, verifies it, and only then gives it its name. Given a ' +
        'database instead of a URL, it finds the archive in the state that `replicate` left beside it, and ' +
        'restores in place.',
    )
    .argument('<SOURCE>', 'the archive (URL), or the database that was replicated (DB)')
    .option('-o, --output <F>', 'the file to write (default: DB; needed with a URL)')
    .addOption(
      new Option('--at <T>', 'as of this moment: 2026-01-31T14:05:00Z, "5m ago" or -5m').argParser((text) =>
        wallMsParse(text, Date.now()),
      ),
    )
    .addOption(new Option('--txid <N>', 'as of this TXID').argParser(txidParse).conflicts('at'))
    .option('--dry-run', 'print what would be read, and write nothing')
    .option('--force', 'replace the file that is there; one that is in use is never replaced')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      `
Without --at or --txid it restores the newest state; with --at, the newest state
that the archive had at that moment.

Examples:
  $ millrace restore file:///backup/app -o app.db
  $ millrace restore /backup/app --at "5m ago" -o before.db
  $ millrace restore app.db            (after the file is gone)`,
    )
    .action(async (source: string, flags: RestoreFlags) => dispatch('restore', [source], flags));
}

function addLooking(root: Command, dispatch: Dispatch): void {
  root
    .command('status')
    .summary('compare a database with what its archive has confirmed')
    .description('Shows how far the database DB is in its archive, by asking both.')
    .argument('<DB>', 'the database file')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExamples:\n  $ millrace status app.db')
    .action(async (database: string, flags: PlainFlags) => dispatch('status', [database], flags));
  root
    .command('ls')
    .summary('list what an archive can restore')
    .description('Lists what can be restored from the archive at URL: TXIDs, moments, sizes, gaps.')
    .argument('<URL>', 'the archive: file:///path, or a directory')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExamples:\n  $ millrace ls file:///backup/app')
    .action(async (url: string, flags: PlainFlags) => dispatch('ls', [url], flags));
  root
    .command('ltx')
    .summary('describe and verify one LTX file')
    .description('Prints the header of one LTX file and verifies its checksums; exits 7 if they do not hold.')
    .argument('<FILE>', 'the LTX file')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nExamples:\n  $ millrace ltx /backup/app/ltx/0/0000000000000001-0000000000000001.ltx',
    )
    .action(async (file: string, flags: PlainFlags) => dispatch('ltx', [file], flags));
}

function addDemo(root: Command, dispatch: Dispatch): void {
  root
    .command('demo')
    .summary('kill a writer and its replicator, restore, and check the result')
    .description(
      'Shows on this machine, in a temporary directory and under a minute, that what was reported durable ' +
        'comes back: a process writes at full speed, `millrace replicate` follows it, both are killed with ' +
        'SIGKILL, everything ' +
        'local is deleted, the database is restored and checked, and an earlier moment beside it.',
    )
    .addOption(
      new Option('--seconds <N>', 'how long to write before the kill').default(10).argParser(wholeNumber),
    )
    .option('--keep', 'leave the files there, and say where')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExits 1 if any of the checks does not hold.\n\nExamples:\n  $ millrace demo')
    .action(async (flags: DemoFlags) => dispatch('demo', [], flags));
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`It must be a whole number, such as 1000.`);
  return Number(text);
}
