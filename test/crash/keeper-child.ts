/**
 * A Millrace that replicates and dies where it is told to: `node keeper-child.ts DATABASE ARCHIVE PLAN-JSON`.
 *
 * Says a JSON line for every event, as `millrace replicate --json` does. SIGTERM ends it in order.
 */

import { hostMachine } from '../../src/cli/machine.ts';
import { Replicator } from '../../src/engine/replicator.ts';
import { Archive } from '../../src/storage/archive.ts';
import { FileStore } from '../../src/storage/file-store.ts';
import { KillSwitch, killingDatabases, killingFiles, killingStore } from './keeper-phases.ts';
import type { KillPlan } from './keeper-phases.ts';

const [database = '', archivePath = '', plan = 'null'] = process.argv.slice(2);
const kill = new KillSwitch(JSON.parse(plan) as KillPlan | null);
const host = hostMachine({ logLevel: 'error' });
const machine = {
  ...host,
  files: killingFiles(host.files, kill, archivePath),
  databases: killingDatabases(host.databases, kill),
};
const archive = new Archive(killingStore(new FileStore(machine, archivePath), kill));
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
const replicator = await Replicator.open(machine, database, archive, {
  uploadIntervalMs: 20,
  onEvent: (event) => {
    const line = JSON.stringify(event, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    process.stdout.write(`${line}\n`);
  },
});
await replicator.run(stop.signal);
