/**
 * The file store under SIGKILL: a key names a whole object or none, and what a child was told is true.
 *
 * Children are killed at each named phase of a put, and at moments of chance from outside. (Power loss is
 * the business of src/storage/file-store.test.ts, on a model of a disk: a killed process loses nothing that
 * it wrote.)
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { test } from 'node:test';

import { concat } from '../../src/base/bytes.ts';
import { hostChance } from '../../src/host/chance.ts';
import { hostClock } from '../../src/host/clock.ts';
import { hostFiles } from '../../src/host/files.ts';
import { FileStore } from '../../src/storage/file-store.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { pause, until, within } from '../support/until.ts';
import { PHASES, bodyFor, keyFor } from './file-store-bodies.ts';

const LIMITS = {
  killsByChance: 10,
  raceRounds: 5,
  keysARace: 150,
  pauseMsMax: 120,
  childMs: 60_000,
} as const;
const CHILD = join(import.meta.dirname, 'file-store-child.ts');
const PORTS = { files: hostFiles, clock: hostClock, chance: hostChance };

interface Told {
  readonly author: string;
  readonly n: number;
  readonly outcome: string;
}

/** A child at work, and what it was told so far. */
class Author {
  readonly name: string;
  readonly told: Told[] = [];
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #ended: Promise<unknown>;
  #isReady = false;
  #hasEnded = false;

  constructor(root: string, name: string, keys: { first: number; count: number; phase?: string }) {
    this.name = name;
    const words = [CHILD, root, name, String(keys.first), String(keys.count), keys.phase ?? ''];
    this.process = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = once(this.process, 'close').then(() => (this.#hasEnded = true));
    let rest = '';
    this.process.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(line);
    });
  }

  /** Starts children together: each puts its first object when all are ready. */
  static async start(...authors: readonly Author[]): Promise<void> {
    const areReady = (): boolean => authors.every((author) => author.#isReady || author.#hasEnded);
    await until(areReady, { timeoutMs: LIMITS.childMs, what: 'the children are ready' });
    for (const author of authors) author.process.stdin.write('go\n');
  }

  /** The moment of the first report: from then on, it is in the middle of its work. */
  async atWork(): Promise<void> {
    const isAtWork = (): boolean => this.told.length > 0 || this.#hasEnded;
    await until(isAtWork, { timeoutMs: LIMITS.childMs, what: `${this.name} puts objects` });
  }

  async end(): Promise<{ code: number | null; signal: string | null }> {
    await within(this.#ended, { timeoutMs: LIMITS.childMs, what: `${this.name} ends` });
    return { code: this.process.exitCode, signal: this.process.signalCode };
  }

  #hear(line: string): void {
    const [word, n, outcome = ''] = line.split(' ');
    if (word === 'ready') this.#isReady = true;
    else this.told.push({ author: this.name, n: Number(n), outcome });
  }
}

/** Whose whole content the object of key `n` has; `null`: there is none. Anything else fails. */
async function authorOf(store: FileStore, n: number, names: readonly string[]): Promise<string | null> {
  const object = await store.get(keyFor(n));
  if (object === null) return null;
  const isBy = (name: string): boolean => Buffer.compare(concat(bodyFor(name, n).chunks), object.bytes) === 0;
  return (
    names.find(isBy) ?? assert.fail(`${keyFor(n)} is torn: ${object.size} bytes are nobody's whole object`)
  );
}

test('killed at each phase of a put, the store has whole objects only, all that it reported', async (t) => {
  const kills = new Map<string, number>();
  for (const phase of PHASES) {
    const root = join(temporaryDirectory(t), 'archive');
    const author = new Author(root, phase, { first: 1, count: 6, phase });
    await Author.start(author);
    const { signal } = await author.end();
    if (signal === 'SIGKILL') kills.set(phase, (kills.get(phase) ?? 0) + 1);
    assert.deepEqual(
      author.told.map(({ n, outcome }) => `${n} ${outcome}`),
      ['1 stored', '2 stored'],
      phase,
    );
    const store = new FileStore(PORTS, root);
    for (const { n } of author.told) assert.equal(await authorOf(store, n, [phase]), phase);
    const isThere = (await authorOf(store, 3, [phase])) !== null;
    assert.equal(
      isThere,
      PHASES.indexOf(phase) >= PHASES.indexOf('linked'),
      `the third object, killed when ${phase}`,
    );
    const again = new Author(root, 'next', { first: 3, count: 1 });
    await Author.start(again);
    await again.end();
    assert.equal(again.told[0]?.outcome, isThere ? 'exists' : 'stored');
    assert.equal((await store.list('')).length, 3);
  }
  t.diagnostic(`kills by phase: ${PHASES.map((phase) => `${phase} ${kills.get(phase) ?? 0}`).join(', ')}`);
  for (const phase of PHASES) assert.equal(kills.get(phase), 1, `a kill when ${phase}`);
});

test('killed at moments of chance, the store has whole objects only, all that it reported', async (t) => {
  const root = join(temporaryDirectory(t), 'archive');
  const told: Told[] = [];
  let first = 1;
  for (let kill = 1; kill <= LIMITS.killsByChance; kill++) {
    const author = new Author(root, `a${kill}`, { first, count: 100_000 });
    await Author.start(author);
    await author.atWork();
    await pause(hostChance.u32() % LIMITS.pauseMsMax);
    author.process.kill('SIGKILL');
    assert.equal((await author.end()).signal, 'SIGKILL');
    assert.ok(author.told.every(({ outcome }) => outcome === 'stored'));
    told.push(...author.told);
    // Past the one that may have been in flight.
    first = Math.max(first, ...author.told.map(({ n }) => n)) + 2;
  }
  const store = new FileStore(PORTS, root);
  for (const { author, n } of told) assert.equal(await authorOf(store, n, [author]), author, keyFor(n));
  const names = Array.from({ length: LIMITS.killsByChance }, (_, i) => `a${i + 1}`);
  const listed = await store.list('');
  for (const { key } of listed) await authorOf(store, Number(key.split('/').at(-1)), names);
  t.diagnostic(
    `${told.length} objects reported, ${listed.length} there, after ${LIMITS.killsByChance} kills`,
  );
  assert.ok(told.length >= LIMITS.killsByChance);
  assert.ok(listed.length >= told.length && listed.length <= told.length + LIMITS.killsByChance);
});

test('of two children that race for the same keys, each key has one winner, who was told so', async (t) => {
  const root = join(temporaryDirectory(t), 'archive');
  const told: Told[] = [];
  const authors = new Map<string, Author>();
  let kills = 0;
  for (let round = 1; round <= LIMITS.raceRounds; round++) {
    const isLast = round === LIMITS.raceRounds;
    const keys = { first: 1 + (round - 1) * LIMITS.keysARace, count: LIMITS.keysARace };
    const pair = [new Author(root, `left${round}`, keys), new Author(root, `right-${round}`, keys)] as const;
    for (const author of pair) authors.set(author.name, author);
    await Author.start(...pair);
    if (!isLast) {
      await Promise.all(pair.map((author) => author.atWork()));
      await pause(hostChance.u32() % LIMITS.pauseMsMax);
      if (pair[round % 2]?.process.kill('SIGKILL') === true) kills++;
    }
    await Promise.all(pair.map((author) => author.end()));
    told.push(...pair.flatMap((author) => author.told));
  }
  const store = new FileStore(PORTS, root);
  const winners = new Map<number, string>();
  for (const { author, n, outcome } of told) {
    if (outcome !== 'stored') continue;
    assert.ok(
      !winners.has(n),
      `${keyFor(n)}: both ${winners.get(n)} and ${author} were told that they stored it`,
    );
    winners.set(n, author);
  }
  const names = [...authors.keys()];
  let untold = 0;
  for (let n = 1; n <= LIMITS.raceRounds * LIMITS.keysARace; n++) {
    const winner = await authorOf(store, n, names);
    assert.ok(winner !== null, `${keyFor(n)} is there: the one who was not killed put it`);
    if (winners.has(n)) assert.equal(winner, winners.get(n), keyFor(n));
    else untold++;
  }
  const counts = names.map((name) => [...winners.values()].filter((winner) => winner === name).length);
  t.diagnostic(
    `${kills} kills; wins by child: ${counts.join(', ')}; ${untold} winners died before they were told`,
  );
  assert.ok(untold <= kills);
  assert.ok(
    counts.slice(-2).every((count) => count > 0),
    'both children won some keys: it was a race',
  );
});
