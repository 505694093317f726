/** The contract of the Files port. */

import { describe, test, type TestContext } from 'node:test';

import type { FilesWorld } from './files-case.ts';
import { CONTENT, LOCKS, POWER } from './files-content.ts';
import { NAMES } from './files-names.ts';

export type { FilesWorld } from './files-case.ts';

/** Runs the suite on files that `make` gives. */
export function filesContract(
  name: string,
  make: (t: TestContext) => FilesWorld | Promise<FilesWorld>,
): void {
  describe(`Files contract: ${name}`, () => {
    for (const { title, body, needsCrash } of [...NAMES, ...CONTENT, ...LOCKS, ...POWER]) {
      test(title, async (t) => {
        const world = await make(t);
        if (needsCrash === true && world.crash === undefined) {
          t.skip('a real machine loses no power for a test; the simulated one does');
          return;
        }
        await world.run((async () => body(world))());
      });
    }
  });
}
