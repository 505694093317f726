/**
 * A fresh temporary directory for one test, removed after it.
 *
 * Two ways to say when "after" is: with the test's context, or with `using`. Never share a directory among
 * tests.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The part of `node:test`'s TestContext (or of a suite's `after`) that is needed here. */
interface Ending {
  after(action: () => void | Promise<void>): void;
}

/**
 * Makes a directory that is removed when the test ends, after `last` looked at what is in it:
 * `const dir = temporaryDirectory(t)`. Returns its path.
 */
export function temporaryDirectory(test: Ending, last?: (path: string) => Promise<void>): string {
  const path = make();
  test.after(async () => {
    try {
      await last?.(path);
    } finally {
      remove(path);
    }
  });
  return path;
}

/** A directory that is removed at the end of its block: `using dir = new TemporaryDirectory()`. */
export class TemporaryDirectory implements Disposable {
  readonly path: string = make();

  [Symbol.dispose](): void {
    remove(this.path);
  }
}

function make(): string {
  return mkdtempSync(join(tmpdir(), 'millrace-test-'));
}

/** Children that a test has just killed may still be closing files: a few tries are in order. */
function remove(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
}
