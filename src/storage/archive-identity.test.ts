/** Unit tests of `millrace.json`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { utf8 } from '../base/bytes.ts';
import { isFault } from '../base/fault.ts';
import { identityDecode, identityEncode } from './archive-identity.ts';
import type { ArchiveIdentity } from './archive-identity.ts';
import { runs } from '../../test/support/runs.ts';

const lineage = fc.record(
  {
    id: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: 16, maxLength: 16 }),
    createdMs: fc.maxSafeNat(),
    pageSize: fc.constantFrom(512, 1024, 4096, 65_536),
    prefix: fc.string({ maxLength: 8 }),
  },
  { noNullPrototype: true },
);
const identities: fc.Arbitrary<ArchiveIdentity> = fc.record(
  {
    format: fc.constant(1 as const),
    lineages: fc.array(lineage, { minLength: 1, maxLength: 4 }),
  },
  { noNullPrototype: true },
);

test('an identity is read back as it was written', () => {
  const holds = (identity: ArchiveIdentity): void => {
    assert.deepEqual(identityDecode(identityEncode(identity)), identity);
  };
  fc.assert(fc.property(identities, holds), { numRuns: runs(300) });
});

test('another format is refused as invalid: a later version wrote it', () => {
  const isRefusal = (error: unknown): boolean =>
    isFault(error, 'invalid') && error.code === 'identity-format';
  assert.throws(() => identityDecode(utf8('{"format":2,"anything":[]}')), isRefusal);
});

test('fields that this version does not know are not read', () => {
  const [known] = fc.sample(identities, { numRuns: 1, seed: 1 });
  const bytes = utf8(JSON.stringify({ ...known, comment: 'hello' }));
  assert.deepEqual(identityDecode(bytes), known);
});

test('damaged bytes are corrupt, or read as some identity: never anything else', () => {
  const [base] = fc.sample(identities, { numRuns: 1, seed: 2 });
  const whole = identityEncode(base ?? assert.fail('a sample'));
  const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  let refused = 0;
  const holds = (changes: readonly (readonly [number, number])[], cut: number): void => {
    const bytes = whole.slice(0, whole.length - (cut % 3 === 0 ? cut : 0));
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    try {
      identityDecode(bytes);
    } catch (error) {
      refused++;
      assert.ok(isFault(error, 'corrupt', 'invalid'), String(error));
    }
  };
  fc.assert(fc.property(damage, fc.nat(whole.length), holds), { numRuns: runs(500) });
  const wrong = [
    '',
    '[]',
    'null',
    '1',
    '{}',
    '{"format":1}',
    '{"format":1,"lineages":[]}',
    '{"format":1,"lineages":[1]}',
  ];
  for (const text of wrong) {
    assert.throws(
      () => identityDecode(utf8(text)),
      (error) => isFault(error, 'corrupt'),
      text,
    );
  }
  assert.ok(refused > 200, `refused: ${refused}`);
});
