/**
 * The contract of the Databases port: an observer beside an application that uses SQLite in WAL mode.
 *
 * The application is a driver: a process with real SQLite for the real machine, a model of one for the
 * simulated.
 */

import { describe, test, type TestContext } from 'node:test';

import type { Closer, Databases } from '../../src/base/ports.ts';
import type { DatabasesWorld } from './databases-case.ts';
import { ATTACHED, PINNED } from './databases-observing.ts';
import { OPENING } from './databases-opening.ts';
import { SETTLED, WATCHED } from './databases-watching.ts';

export type { ContractApplication, DatabasesWorld } from './databases-case.ts';

/** Runs the suite on databases that `make` gives. */
export function databasesContract(
  name: string,
  make: (t: TestContext) => DatabasesWorld | Promise<DatabasesWorld>,
): void {
  describe(`Databases contract: ${name}`, () => {
    for (const { title, body, needsExclusive } of [
      ...OPENING,
      ...ATTACHED,
      ...PINNED,
      ...SETTLED,
      ...WATCHED,
    ]) {
      test(title, async (t) => {
        const world = await make(t);
        if (needsExclusive === true && typeof world.exclusiveApplication === 'string') {
          t.skip(world.exclusiveApplication);
          return;
        }
        const opened: Closer[] = [];
        const databases = remembering(world.databases, opened);
        try {
          await world.run(body({ ...world, databases }, `${world.dir}/app.db`));
        } finally {
          for (const it of opened) it.close();
        }
      });
    }
  });
}

/**
 * The same databases; what is opened and watched is remembered, so that a case that fails leaves nothing
 * open.
 */
function remembering(databases: Databases, opened: Closer[]): Databases {
  const remember = <T extends Closer>(it: T): T => {
    opened.push(it);
    return it;
  };
  return {
    probe: (path) => databases.probe(path),
    settle: (path) => databases.settle(path),
    open: (path) => remember(databases.open(path)),
    watch: (path, onChange) => remember(databases.watch(path, onChange)),
  };
}
