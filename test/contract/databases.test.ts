/** The Databases contract on this machine, with applications that are processes with SQLite of their own. */

import type { TestContext } from 'node:test';

import { hostDatabases } from '../../src/host/databases.ts';
import { hostFiles } from '../../src/host/files.ts';
import { Application, type ApplicationOptions } from '../support/application.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { databasesContract, type ContractApplication } from './databases.ts';
import { realWorld } from './world.ts';

databasesContract('host', (t) => ({
  ...realWorld,
  databases: hostDatabases,
  files: hostFiles,
  dir: temporaryDirectory(t),
  application: (path) => start(t, path, {}),
  exclusiveApplication: (path) => start(t, path, { lockingMode: 'exclusive' }),
}));

async function start(
  t: TestContext,
  path: string,
  options: ApplicationOptions,
): Promise<ContractApplication> {
  const application = await Application.start(path, { walAutocheckpoint: 0, busyTimeoutMs: 50, ...options });
  t.after(() => application[Symbol.asyncDispose]());
  return {
    commit: async (count) => void (await application.commit(count)),
    checkpoint: (mode) => application.checkpoint(mode),
    close: () => application.close(),
    kill: () => application.kill(),
  };
}
