import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Bug } from '../base/assert.ts';
import { Fault } from '../base/fault.ts';
import type { FaultKind } from '../base/fault.ts';
import { epoch, txid } from '../base/ids.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { jsonLine, Output } from './output.ts';

/** An output whose two streams are kept. */
function kept(isJson: boolean): { output: Output; out: () => string; err: () => string } {
  let out = '';
  let err = '';
  const streams = {
    out: { write: (text: string) => (out += text) },
    err: { write: (text: string) => (err += text) },
  };
  return { output: new Output(isJson, streams), out: () => out, err: () => err };
}

const FAULT = new Fault('gap', 'archive-gap', 'TXID 7 is missing', {
  hint: 'look elsewhere',
  cause: new Error('no such file'),
  details: { first: '7' },
});

test('JSON writes TXIDs as 16 hex digits and epochs as numbers', () => {
  assert.equal(
    jsonLine({ txid: txid(31n), epoch: epoch(3n), walMs: 5 }),
    '{"txid":"000000000000001f","epoch":3,"walMs":5}',
  );
});

test('a result is one JSON line for machines and lines for people', () => {
  const machine = kept(true);
  machine.output.result({ a: 1 }, () => ['one']);
  machine.output.line('not for machines');
  machine.output.note('not for machines');
  assert.deepEqual([machine.out(), machine.err()], ['{"a":1}\n', '']);
  const person = kept(false);
  person.output.result({ a: 1 }, () => ['one', 'two']);
  person.output.record({ not: 'for people' });
  assert.deepEqual([person.out(), person.err()], ['one\ntwo\n', '']);
});

test('a failure says what, why and what to type, on stderr only', () => {
  const person = kept(false);
  assert.equal(person.output.failure(FAULT), 6);
  assert.equal(
    person.err(),
    'millrace: TXID 7 is missing (archive-gap)\n  because: no such file\n  hint: look elsewhere\n',
  );
  const machine = kept(true);
  assert.equal(machine.output.failure(FAULT), 6);
  assert.deepEqual(JSON.parse(machine.err()), {
    error: {
      kind: 'gap',
      code: 'archive-gap',
      message: 'TXID 7 is missing',
      hint: 'look elsewhere',
      exitCode: 6,
      details: { first: '7' },
      causes: ['no such file'],
    },
  });
  assert.deepEqual([person.out(), machine.out()], ['', '']);
});

test('a defect is called one, and exits with 1', () => {
  const person = kept(false);
  assert.equal(person.output.failure(new Bug('seven is not eight')), 1);
  assert.match(person.err(), /defect in Millrace.*seven is not eight/);
});

test('every kind of Fault has a documented exit code of its own', () => {
  const kinds: readonly FaultKind[] = ['invalid', 'unavailable', 'conflict', 'fenced', 'gap', 'corrupt'];
  const codes = kinds.map((kind) => kept(false).output.failure(new Fault(kind, 'x', 'y')));
  assert.equal(new Set(codes).size, kinds.length);
  for (const code of codes)
    assert.ok(
      EXIT_CODES.some((row) => row.code === code),
      `${code} is not documented`,
    );
});
