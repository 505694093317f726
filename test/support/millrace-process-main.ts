/**
 * Millrace's program of a test: `node millrace-process-main.ts DATABASE ARCHIVE OPTIONS-JSON`; see
 * millrace-process.ts for the other side. The line `durable` asks for durability; the end of standard input
 * ends it in order.
 */

import { createInterface } from 'node:readline';

import { archiveOpen, hostMachine } from '../../src/cli/machine.ts';
import { Replicator } from '../../src/engine/replicator.ts';
import type { MillraceMessage, MillraceOptions } from './millrace-process.ts';

const [database = '', archive = '', options = '{}'] = process.argv.slice(2);

function say(message: MillraceMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

const machine = hostMachine({ logLevel: 'error' });
const stop = new AbortController();
const replicator = await Replicator.open(machine, database, archiveOpen(machine, archive), {
  ...(JSON.parse(options) as MillraceOptions),
  onEvent: (event) => {
    const decision = event.event === 'started' ? { decision: `started: ${event.decision}` } : {};
    say({ says: 'event', event: event.event, ...decision });
  },
});
const running = replicator.run(stop.signal);
const commands = createInterface({ input: process.stdin });
commands.on('line', () => void replicator.durable().then(() => say({ says: 'durable' })));
commands.on('close', () => stop.abort());
say({ says: 'ready' });
await running;
