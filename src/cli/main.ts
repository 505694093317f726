#!/usr/bin/env node
/** The command line: parses it, runs one command, and turns whatever comes of it into an exit code. */

import { CommanderError } from 'commander';
import { Fault } from '../base/fault.ts';
import { EXIT } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { Output } from './output.ts';
import { program } from './program.ts';
import type { Verb } from './program.ts';
import { nodeCheck } from './version.ts';

/** Does the work of one verb. */
export type Run = (output: Output, operands: readonly string[], flags: never) => Promise<ExitCode>;

const COMMANDS: Readonly<Record<Verb, () => Promise<Run>>> = {
  replicate: async () => (await import('./commands/replicate.ts')).replicateCommand,
  restore: async () => (await import('./commands/restore.ts')).restoreCommand,
  status: async () => (await import('./commands/status.ts')).statusCommand,
  ls: async () => (await import('./commands/ls.ts')).lsCommand,
  ltx: async () => (await import('./commands/ltx.ts')).ltxCommand,
  demo: async () => (await import('./commands/demo.ts')).demoCommand,
};

async function main(argv: readonly string[]): Promise<ExitCode> {
  const output = new Output(argv.includes('--json'), { out: process.stdout, err: process.stderr });
  let exitCode: ExitCode = EXIT.ok;
  const root = program(async (verb, operands, flags) => {
    // Before a command loads what an older Node does not have.
    nodeCheck();
    const run = await COMMANDS[verb]();
    exitCode = await run(output, operands, flags as never);
  });
  for (const command of [root, ...root.commands]) {
    command
      .exitOverride()
      .configureOutput({ outputError() {} })
      .showSuggestionAfterError(true);
  }
  try {
    if (argv.length === 0) root.help({ error: true });
    await root.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) return output.failure(error);
    if (error.exitCode === 0 || error.code === 'commander.help')
      return error.exitCode === 0 ? EXIT.ok : EXIT.invalid;
    return output.failure(usageFault(error, argv[0]));
  }
  return exitCode;
}

/** Commander's complaint, said as everything else is said. */
function usageFault(error: CommanderError, verb: string | undefined): Fault {
  const [first = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const kebab = error.code
    .replace(/^commander\./, '')
    .replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const isVerb = verb !== undefined && verb in COMMANDS;
  const help = `\`millrace ${isVerb ? `${verb} ` : ''}--help\` shows what there is`;
  const didYouMean = /\((Did you mean .*\?)\)/.exec(suggestion ?? '')?.[1];
  return new Fault('invalid', `usage-${kebab}`, first, {
    hint: didYouMean === undefined ? help : `${didYouMean} ${help}`,
  });
}

/** A reader that went away (`millrace ls … | head`) is no failure. */
function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

process.stdout.on('error', ignoreBrokenPipe);
process.stderr.on('error', ignoreBrokenPipe);
process.exitCode = await main(process.argv.slice(2));
