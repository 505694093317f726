import { deepStrictEqual, strictEqual, throws } from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { damaged, damages, faultsOnly } from '../../test/support/fuzz.ts';
import { databaseHeaderDecode, databaseHeaderEncode, isPageSize, lockPage } from './sqlite-header.ts';
import type { DatabaseHeader } from './sqlite-header.ts';
import { runs } from '../../test/support/runs.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

const headers: fc.Arbitrary<DatabaseHeader> = fc.record(
  {
    pageSize: fc.constantFrom(512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536),
    journal: fc.constantFrom('rollback', 'wal'),
    reservedBytes: fc.integer({ min: 0, max: 32 }),
    changeCounter: u32,
    sizePages: u32,
    schemaCookie: u32,
    largestRoot: u32,
    userVersion: u32,
    applicationId: u32,
    versionValidFor: u32,
    sqliteVersion: u32,
  },
  { noNullPrototype: true },
);

const example: DatabaseHeader = {
  pageSize: 4096,
  journal: 'wal',
  reservedBytes: 0,
  changeCounter: 1,
  sizePages: 1,
  schemaCookie: 0,
  largestRoot: 0,
  userVersion: 0,
  applicationId: 0,
  versionValidFor: 1,
  sqliteVersion: 3_053_004,
};

/** The example's bytes with one of them changed. */
function exampleWith(at: number, byte: number): Uint8Array {
  return databaseHeaderEncode(example).with(at, byte);
}

test('a header gives back what it was made of', () => {
  fc.assert(
    fc.property(headers, (header) =>
      deepStrictEqual(databaseHeaderDecode(databaseHeaderEncode(header)), header),
    ),
    { numRuns: runs(300) },
  );
});

test('only powers of two from 512 to 65536 are page sizes', () => {
  const found = Array.from({ length: 70_000 }, (_, value) => value).filter((value) => isPageSize(value));
  deepStrictEqual(found, [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536]);
  for (const value of [-4096, 0.5, 4096.5, NaN, Infinity, 2 ** 32 + 4096])
    strictEqual(isPageSize(value), false);
});

test('the lock page is the one with byte 2³⁰', () => {
  const expected = [2_097_153, 1_048_577, 524_289, 262_145, 131_073, 65_537, 32_769, 16_385];
  deepStrictEqual([512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536].map(lockPage), expected);
});

test('what SQLite would not open is refused by name', () => {
  const cases: readonly (readonly [Uint8Array, string])[] = [
    [new Uint8Array(99), 'not-a-database'],
    [exampleWith(0, 0x73), 'not-a-database'],
    [exampleWith(15, 1), 'not-a-database'],
    [exampleWith(17, 1), 'not-a-database'],
    [exampleWith(21, 63), 'not-a-database'],
    [databaseHeaderEncode({ ...example, pageSize: 512 }).with(20, 33), 'not-a-database'],
    [exampleWith(19, 3), 'database-version'],
    [exampleWith(19, 0), 'database-version'],
  ];
  for (const [bytes, code] of cases)
    throws(() => databaseHeaderDecode(bytes), { name: 'Fault', kind: 'invalid', code });
});

test('a later write version alone still names the journal by the read version', () => {
  strictEqual(databaseHeaderDecode(exampleWith(18, 3)).journal, 'wal');
  strictEqual(databaseHeaderDecode(exampleWith(19, 1)).journal, 'rollback');
});

test('damaged headers are Faults or headers', () => {
  let refused = 0;
  fc.assert(
    fc.property(headers, damages, (header, all) => {
      if (!faultsOnly(() => databaseHeaderDecode(damaged(databaseHeaderEncode(header), all)))) refused++;
    }),
    { numRuns: runs(500) },
  );
  strictEqual(refused > 50, true, `only ${refused} of 500 were refused`);
});
