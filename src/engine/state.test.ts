import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { SimWorld } from '../../sim/world/world.ts';
import { utf8, view } from '../base/bytes.ts';
import { isFault } from '../base/fault.ts';
import { fileRead, fileReplace } from '../base/file-replace.ts';
import { checksum, epoch, txid } from '../base/ids.ts';
import type { Files } from '../base/ports.ts';
import { crc64 } from '../format/kernel.ts';
import { fullRecord } from './chain.ts';
import { PageMap } from './page-map.ts';
import { stateRecordDecode, stateRecordEncode } from './state-record.ts';
import type { StateRecord } from './state-record.ts';
import { LocalState, stateDir, stateIdentity } from './state.ts';
import { runs } from '../../test/support/runs.ts';

const FLAG = 1n << 63n;
const DATABASE = '/data/app.db';

function delta(n: number): StateRecord {
  const changed = { pgnos: Uint32Array.of(1, n), sums: BigUint64Array.of(FLAG | 1n, FLAG | BigInt(n)) };
  const position = {
    bigEndian: false,
    salt1: n,
    salt2: 2,
    frames: 3 * n,
    checksum: { s0: 4, s1: 5 },
    iChange: null,
  };
  const size = 10 + n;
  return {
    kind: 'delta',
    txid: txid(n),
    post: checksum(FLAG),
    pageSize: 512,
    size,
    sizeMin: 10,
    position,
    changed,
  };
}

/** Runs `work` in a fresh simulated world, on the files of one process. */
async function simulated(work: (files: Files) => Promise<void>): Promise<void> {
  const world = new SimWorld(1);
  world.application(DATABASE);
  await world.run(work(world.machine(world.process('millrace')).files));
}

const IDENTITY = { lineage: 'ab', epochs: [epoch(3), epoch(1)], url: 'file:///a', ino: '2' };
const PAGES = `${stateDir(DATABASE)}/pages`;

/** Writes a state of one full record and two deltas. */
async function writeState(files: Files): Promise<void> {
  const state = await LocalState.open(files, DATABASE);
  await state.identify(IDENTITY);
  const map = PageMap.of(BigUint64Array.of(FLAG | 9n, FLAG | 8n));
  await state.rewrite(fullRecord(map, { txid: txid(1), pageSize: 512, position: null }));
  state.append(delta(2));
  state.append(delta(3));
  state.close();
}

test('a state comes back as it was written', async () => {
  await simulated(async (files) => {
    await writeState(files);
    const state = await LocalState.open(files, DATABASE);
    assert.deepEqual(state.identity, IDENTITY);
    assert.deepEqual(
      state.records.map((record) => [record.kind, record.txid]),
      [
        ['full', 1n],
        ['delta', 2n],
        ['delta', 3n],
      ],
    );
    assert.deepEqual(state.records[2], delta(3));
    state.close();
  });
});

test('a state whose end a crash tore goes on from the last whole record', async () => {
  await simulated(async (files) => {
    await writeState(files);
    const whole = fileRead(files, PAGES) ?? new Uint8Array(0);
    for (const cut of [1, 40, 91]) {
      await fileReplace(files, PAGES, [whole.subarray(0, whole.length - cut)]);
      const state = await LocalState.open(files, DATABASE);
      assert.equal(state.records.length, 2);
      state.append(delta(4));
      state.close();
      const again = await LocalState.open(files, DATABASE);
      assert.deepEqual(again.records.at(-1), delta(4));
      again.close();
    }
  });
});

test('a state has one keeper at a time', async () => {
  await simulated(async (files) => {
    const keeper = await LocalState.open(files, DATABASE);
    await assert.rejects(LocalState.open(files, DATABASE), (error) => isFault(error, 'conflict'));
    keeper.close();
    (await LocalState.open(files, DATABASE)).close();
  });
});

test('a state that is set aside is kept as evidence and is no state any more', async () => {
  await simulated(async (files) => {
    await writeState(files);
    const state = await LocalState.open(files, DATABASE);
    state.setAside();
    assert.equal(state.identity, null);
    state.close();
    assert.ok(files.stat(`${PAGES}.aside`) !== null);
    assert.equal(stateIdentity(files, DATABASE), null);
  });
});

test('an identity that cannot be read is refused by name', async () => {
  await simulated(async (files) => {
    await writeState(files);
    for (const broken of ['', '{', '[]', '{"format":2}', '{"format":1,"lineage":7}']) {
      await fileReplace(files, `${stateDir(DATABASE)}/identity.json`, [utf8(broken)]);
      assert.throws(
        () => stateIdentity(files, DATABASE),
        (error) => isFault(error, 'corrupt') && error.code === 'state-unreadable',
      );
    }
  });
});

test('any byte that is flipped in a record is noticed', () => {
  const bytes = stateRecordEncode(delta(7));
  const flip = fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
    const bad = bytes.slice();
    bad[at] = (bad[at] ?? 0) ^ by;
    assert.equal(stateRecordDecode(bad), null);
  });
  fc.assert(flip, { numRuns: runs(500) });
  assert.deepEqual(stateRecordDecode(bytes)?.record, delta(7));
});

test('a sound record of a kind that is not known is refused by name', () => {
  for (const offset of [12, 15]) {
    const bytes = stateRecordEncode(delta(7));
    bytes[offset] = 9;
    view(bytes).setBigUint64(0, crc64(bytes.subarray(8)));
    assert.throws(
      () => stateRecordDecode(bytes),
      (error) => isFault(error, 'corrupt') && error.code === 'state-unreadable',
    );
  }
});
