/** The simulator's model of SQLite against SQLite itself: what the model writes, SQLite reads, and sees the same. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';

import { SimChance } from '../../sim/world/chance.ts';
import { SqliteApplication } from '../../sim/world/database.ts';
import { SimDisk } from '../../sim/world/disk.ts';
import { randomChanges } from '../../sim/workload.ts';

const SEEDS = 60;
const PATH = '/data/app.db';

/** What SQLite makes of the files that stand on a simulated disk, after its own recovery and checkpoint. */
function checkpointed(disk: SimDisk): Uint8Array {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-model-'));
  try {
    for (const suffix of ['', '-wal']) {
      const inode = disk.lookup(PATH + suffix);
      if (inode !== undefined) writeFileSync(join(dir, `app.db${suffix}`), inode.content());
    }
    const database = new DatabaseSync(join(dir, 'app.db'));
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    return readFileSync(join(dir, 'app.db'));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test('SQLite recovers from the bytes of the model exactly the state that the model calls committed', () => {
  const seen = { commits: 0, checkpoints: 0, recoveries: 0, ghosts: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const chance = new SimChance(seed, 'model');
    const disk = new SimDisk(chance.fork('disk'), () => 0);
    const pageSize = chance.pick([512, 1024, 4096]);
    const app = SqliteApplication.create(disk, PATH, chance.fork('app'), { pageSize });
    for (let i = 0; i < 30; i++) {
      const dice = chance.below(20);
      if (dice < 12) seen.commits += app.commit(randomChanges(app, chance)) === 'committed' ? 1 : 0;
      else if (dice < 14) app.rollback(randomChanges(app, chance));
      else if (dice === 14) app.commitPadded(randomChanges(app, chance));
      else if (dice === 15) app.freshConnection();
      else if (dice === 16) {
        app.recover();
        seen.recoveries += 1;
      } else {
        app.checkpoint(chance.pick(['passive', 'full', 'restart', 'truncate']));
        seen.checkpoints += 1;
      }
    }
    if (chance.flip(0.5)) {
      app.ghost(randomChanges(app, chance));
      app.recover();
      seen.ghosts += 1;
    }
    const image = checkpointed(disk);
    const { pages, unwritten } = app.state;
    assert.equal(image.length, pages.length * pageSize, `seed ${seed}: size`);
    for (const [i, page] of pages.entries()) {
      if (unwritten.has((i + 1) as never)) continue;
      const real = image.subarray(i * pageSize, (i + 1) * pageSize);
      assert.deepEqual(new Uint8Array(real), page, `seed ${seed}: page ${i + 1}`);
    }
  }
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `no ${what} at all`);
});
