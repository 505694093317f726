import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LIMITS, passMs, sealDueMs } from './schedule.ts';

const calm = {
  nowMs: 10_000,
  openedMs: null,
  sealedMs: null,
  isWaitedFor: false,
  isFull: false,
  uploadIntervalMs: 1_000,
  idleFlushMs: 50,
};

test('nothing captured, nothing due, however anybody waits', () => {
  assert.equal(sealDueMs({ ...calm, isWaitedFor: true }), null);
});

test('the first write after idle is due after the idle flush', () => {
  assert.equal(sealDueMs({ ...calm, openedMs: 10_000 }), 50);
  assert.equal(sealDueMs({ ...calm, openedMs: 10_000, sealedMs: 2_000 }), 50);
});

test('further writes are due one upload interval after the last seal', () => {
  assert.equal(sealDueMs({ ...calm, openedMs: 9_990, sealedMs: 9_900 }), 900);
  assert.equal(sealDueMs({ ...calm, openedMs: 9_000, sealedMs: 8_900 }), 0);
});

test('a waiter, a full TXID and an interval of 0 are due at once', () => {
  const open = { ...calm, openedMs: 9_999, sealedMs: 9_998 };
  assert.equal(sealDueMs({ ...open, isWaitedFor: true }), 0);
  assert.equal(sealDueMs({ ...open, isFull: true }), 0);
  assert.equal(sealDueMs({ ...open, uploadIntervalMs: 0 }), 0);
});

test('passes are never further apart than a quarter of the time in which the log fills', () => {
  assert.equal(passMs({ frames: 1_000, elapsedMs: 10, logFrames: 1_000 }), 2.5);
  assert.equal(passMs({ frames: 10, elapsedMs: 10, logFrames: 1_000 }), LIMITS.passMsMax);
  assert.equal(passMs({ frames: 400, elapsedMs: 10, logFrames: 10 }), LIMITS.passMsMin);
  assert.equal(passMs({ frames: 1_000, elapsedMs: 10, logFrames: 0 }), 2.5);
});
