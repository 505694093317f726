/** Unit tests of the archive, on a store in memory. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Bug } from '../base/assert.ts';
import { concat, utf8 } from '../base/bytes.ts';
import { isFault } from '../base/fault.ts';
import { epoch, txid } from '../base/ids.ts';
import type { WallMs } from '../base/ids.ts';
import { ltxHeaderEncode } from '../format/ltx-header.ts';
import type { LtxHeader } from '../format/ltx-header.ts';
import { Archive } from './archive.ts';
import type { LtxFile } from './archive.ts';
import { MemoryStore } from './memory-store.ts';
import { bodyOf } from './object-store.ts';
import type { PutBody, StoredObject } from './object-store.ts';

const CREATE = { condition: { ifNoneMatch: '*' } } as const;
const clock = { wallMs: () => 1 as WallMs };

function headerFor(min: number, max: number = min): LtxHeader {
  return {
    pageSize: 4096,
    commit: 3,
    minTxid: txid(min),
    maxTxid: txid(max),
    timestampMs: (1_700_000_000_000 + max) as WallMs,
    walOffset: 32,
    walSize: 0,
    walSalt1: 1,
    walSalt2: 2,
    epoch: epoch(1),
    counter: max,
    rolling: null,
  };
}

function bodyFor(header: LtxHeader, rest = 'pages'): PutBody {
  return bodyOf(concat([ltxHeaderEncode(header), utf8(rest)]));
}

async function archiveWith(
  ...ranges: readonly (readonly [level: number, min: number, max: number])[]
): Promise<Archive> {
  const archive = new Archive(new MemoryStore(clock));
  for (const [level, min, max] of ranges) {
    const header = headerFor(min, max);
    await archive.put(level, header, bodyFor(header), CREATE);
  }
  return archive;
}

function ranges(files: readonly LtxFile[]): string[] {
  return files.map(({ level, minTxid, maxTxid }) => `${level}:${minTxid}-${maxTxid}`);
}

async function rejects(work: Promise<unknown>, kind: 'corrupt' | 'unavailable', code: string): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(isFault(error, kind) && error.code === code, String(error));
    assert.match(error.message, /ltx\/0\//, 'the message names the key');
    return true;
  });
}

test('files are listed by level and TXID, from a TXID on, and the head is the newest level 0', async () => {
  const archive = await archiveWith(
    [0, 2, 2],
    [0, 1, 1],
    [0, 16, 16],
    [0, 17, 17],
    [1, 1, 16],
    [9, 1, 16],
    [9, 1, 17],
  );
  assert.deepEqual(ranges(await archive.list(0)), ['0:1-1', '0:2-2', '0:16-16', '0:17-17']);
  assert.deepEqual(ranges(await archive.list(0, txid(2))), ['0:2-2', '0:16-16', '0:17-17']);
  assert.deepEqual(ranges(await archive.list(0, txid(18))), []);
  assert.deepEqual(ranges(await archive.listAll()).slice(4), ['1:1-16', '9:1-16', '9:1-17']);
  assert.equal((await archive.head())?.maxTxid, 17n);
  assert.equal(await new Archive(new MemoryStore(clock)).head(), null);
});

test('a file keeps the time of its header, and is found without listing', async () => {
  const archive = await archiveWith([0, 5, 5]);
  const [listed] = await archive.list(0);
  assert.equal(listed?.modifiedMs, 1_700_000_000_005);
  assert.deepEqual(await archive.find(0, txid(5)), listed);
  assert.equal(await archive.find(0, txid(6)), null);
});

test('what is no LTX file is passed over', async () => {
  const archive = await archiveWith([0, 1, 1]);
  await archive.store.put('ltx/0/readme.txt', bodyOf(utf8('hello')));
  await archive.store.put('ltx/00/0000000000000009-0000000000000009.ltx', bodyOf(utf8('hello')));
  await archive.store.put('elsewhere', bodyOf(utf8('hello')));
  assert.deepEqual(ranges(await archive.listAll()), ['0:1-1']);
});

test('the second writer of a TXID is told that it exists', async () => {
  const archive = await archiveWith([0, 1, 1]);
  const header = headerFor(1);
  assert.deepEqual(await archive.put(0, header, bodyFor(header, 'other'), CREATE), { outcome: 'exists' });
});

test('an unconditional level 0, one of several TXIDs, and a snapshot that is none are bugs', async () => {
  const archive = await archiveWith();
  const put = async (level: number, min: number, max: number, isConditional: boolean): Promise<unknown> => {
    const header = headerFor(min, max);
    return await archive.put(
      level,
      header,
      bodyFor(header),
      isConditional ? CREATE : { condition: undefined },
    );
  };
  await assert.rejects(put(0, 1, 1, false), Bug);
  await assert.rejects(put(0, 1, 2, true), Bug);
  await assert.rejects(put(9, 2, 3, true), Bug);
  await assert.rejects(put(10, 1, 3, true), Bug);
  await put(1, 1, 3, false);
});

test('the header must be what the name says', async () => {
  const archive = await archiveWith([0, 1, 1]);
  const file = (await archive.head()) ?? assert.fail('it is there');
  assert.equal((await archive.readHeader(file)).counter, 1);
  await archive.store.put(file.key, bodyFor(headerFor(2)));
  await rejects(archive.readHeader(file), 'corrupt', 'object-misnamed');
  await archive.store.put(file.key, bodyOf(new Uint8Array(file.size)));
  await rejects(archive.readHeader(file), 'corrupt', 'ltx-header');
});

test('a file that is gone, empty, cut off, written anew or cut off on its way is told apart', async () => {
  const archive = await archiveWith([0, 1, 1]);
  const file = (await archive.head()) ?? assert.fail('it is there');
  const whole = await archive.read(file);
  assert.equal(whole.length, file.size);
  assert.deepEqual(await archive.read(file, { offset: 100, length: 5 }), utf8('pages'));
  await rejects(archive.read(file, { offset: 101, length: 5 }), 'corrupt', 'object-truncated');
  await archive.store.put(file.key, bodyOf(whole.subarray(0, 50)));
  await rejects(archive.read(file), 'corrupt', 'object-truncated');
  await rejects(archive.readHeader(file), 'corrupt', 'object-truncated');
  await rejects(archive.read(file, { offset: 0, length: 10 }), 'corrupt', 'object-truncated');
  await archive.store.put(file.key, bodyOf(new Uint8Array(0)));
  const empty = (await archive.head()) ?? assert.fail('it is there');
  await rejects(archive.read(empty), 'corrupt', 'object-truncated');
  await archive.store.put(file.key, bodyOf(new Uint8Array(file.size + 1)));
  await rejects(archive.read(file), 'unavailable', 'object-changed');
  await archive.store.delete([file.key]);
  await rejects(archive.read(file), 'unavailable', 'object-vanished');
});

test('a store that returns less than it should is caught', async () => {
  class ShortStore extends MemoryStore {
    override async get(...words: Parameters<MemoryStore['get']>): Promise<StoredObject | null> {
      const object = await super.get(...words);
      return object === null ? null : { ...object, bytes: object.bytes.subarray(1) };
    }
  }
  const archive = new Archive(new ShortStore(clock));
  await archive.put(0, headerFor(1), bodyFor(headerFor(1)), CREATE);
  const file = (await archive.head()) ?? assert.fail('it is there');
  await rejects(archive.read(file), 'unavailable', 'body-short');
});

test('an identity is created once', async () => {
  const archive = await archiveWith();
  assert.equal(await archive.identity(), null);
  const lineage = { id: '0123456789abcdef', createdMs: 5, pageSize: 4096, prefix: '' };
  assert.equal(await archive.createIdentity({ format: 1, lineages: [lineage] }), 'created');
  const other = { format: 1, lineages: [{ ...lineage, createdMs: 6 }] } as const;
  assert.equal(await archive.createIdentity(other), 'exists');
  assert.deepEqual(await archive.identity(), { format: 1, lineages: [lineage] });
});

test('both layouts are read as they are written', async () => {
  const archive = new Archive(new MemoryStore(clock, { layout: 'levels-hex4' }));
  await archive.put(0, headerFor(1), bodyFor(headerFor(1)), CREATE);
  assert.equal((await archive.head())?.key, '0000/0000000000000001-0000000000000001.ltx');
});
