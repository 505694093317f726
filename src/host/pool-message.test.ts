import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Bug } from '../base/assert.ts';
import { Fault } from '../base/fault.ts';
import { buffersOf, errorDecode, errorEncode } from './pool-message.ts';

test('a Fault crosses between threads with all that it says', () => {
  const fault = new Fault('corrupt', 'a-code', 'a message', { hint: 'a hint', details: { n: 1 } });
  const crossed = errorDecode(structuredClone(errorEncode(fault)));
  assert.ok(crossed instanceof Fault);
  const said = ({ kind, code, message, hint, details }: Fault): unknown => ({
    kind,
    code,
    message,
    hint,
    details,
  });
  assert.deepEqual(said(crossed), said(fault));
  const bare = errorDecode(structuredClone(errorEncode(new Fault('gap', 'a-code', 'a message'))));
  assert.equal((bare as Fault).hint, undefined);
});

test('whatever else is thrown crosses as a Bug, with the stack of its thread', () => {
  const error = new RangeError('out of range');
  const crossed = errorDecode(structuredClone(errorEncode(error)));
  assert.ok(crossed instanceof Bug);
  assert.equal(crossed.message, 'out of range');
  assert.equal(crossed.stack, error.stack);
  assert.equal(errorDecode(structuredClone(errorEncode('text'))).message, 'text');
});

test('buffers that an array covers whole are moved, once; parts and shared memory are not', () => {
  const whole = new Uint8Array(8);
  const output = {
    whole,
    again: new Uint32Array(whole.buffer),
    nested: [{ wide: new BigUint64Array(1) }],
    part: new Uint8Array(8).subarray(1),
    shared: new Uint8Array(new SharedArrayBuffer(8)),
    text: 'text',
    none: null,
  };
  assert.deepEqual(buffersOf(output), [whole.buffer, output.nested[0]?.wide.buffer]);
  assert.deepEqual(buffersOf(whole), [whole.buffer]);
  assert.deepEqual(buffersOf(7), []);
});
