/**
 * A child of file-store.test.ts: puts objects into a file store until it is killed, and says what it was
 * told.
 *
 * Arguments: root, name, first key, count, and optionally a phase: then it kills itself there, at the third
 * put. Lines: `ready`, then, after a word on stdin, `told <key number> <outcome>`; written synchronously:
 * what the parent has not read was not said.
 */

import { once } from 'node:events';
import { writeSync } from 'node:fs';

import { hostChance } from '../../src/host/chance.ts';
import { hostClock } from '../../src/host/clock.ts';
import { hostFiles } from '../../src/host/files.ts';
import type { Fd, Files } from '../../src/base/ports.ts';
import { FileStore } from '../../src/storage/file-store.ts';
import { bodyFor, keyFor } from './file-store-bodies.ts';

const [root = '', name = '', first = '1', count = '1000', phase = ''] = process.argv.slice(2);
let puts = 0;

/** Dies when the put that it is meant for reaches the phase that it is meant for. */
function reach(reached: string): void {
  if (reached === phase && puts === 3) process.kill(process.pid, 'SIGKILL');
}

/** The files of this machine, with a named point before and after each step of a put. */
const files: Files = {
  ...hostFiles,
  write(fd: Fd, bytes: Uint8Array, at: number) {
    reach('created');
    hostFiles.write(fd, bytes, at);
    reach('written');
  },
  async fsync(fd: Fd) {
    reach('touched');
    const done = hostFiles.fsync(fd);
    reach('fsyncing');
    await done;
    reach('fsynced');
  },
  link(from: string, to: string) {
    const isLinked = hostFiles.link(from, to);
    reach('linked');
    return isLinked;
  },
  async fsyncDir(dir: string) {
    reach('removed');
    const done = hostFiles.fsyncDir(dir);
    reach('fsyncing-directory');
    await done;
    reach('stored');
  },
};

// A word from the parent starts the race.
writeSync(1, 'ready\n');
await once(process.stdin, 'data');
process.stdin.destroy();

const store = new FileStore({ files, clock: hostClock, chance: hostChance }, root);
for (let n = Number(first); n < Number(first) + Number(count); n++) {
  puts++;
  const { outcome } = await store.put(keyFor(n), bodyFor(name, n), { condition: { ifNoneMatch: '*' } });
  writeSync(1, `told ${n} ${outcome}\n`);
}
