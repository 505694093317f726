import assert from 'node:assert/strict';
import { test } from 'node:test';

import { runLanes } from './lanes.ts';

test('every item is worked on once, and never more at a time than there are lanes', async () => {
  const done: number[] = [];
  let busy = 0;
  let busyMax = 0;
  await runLanes(3, [1, 2, 3, 4, 5, 6, 7], async (item) => {
    busyMax = Math.max(busyMax, ++busy);
    await Promise.resolve();
    busy--;
    done.push(item);
  });
  assert.deepEqual(
    done.sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7],
  );
  assert.equal(busyMax, 3);
});

test('a failure stops the other lanes and is thrown when all are still', async () => {
  let busy = 0;
  let started = 0;
  let isClosed = false;
  async function* items(): AsyncGenerator<number> {
    try {
      for (let i = 0; i < 100; i++) yield i;
    } finally {
      isClosed = true;
    }
  }
  const work = async (item: number, signal: AbortSignal): Promise<void> => {
    started++;
    busy++;
    await Promise.resolve();
    busy--;
    if (item === 4) throw new Error('item 4');
    if (item > 4) assert.ok(signal.aborted);
  };
  await assert.rejects(runLanes(2, items(), work), /item 4/);
  assert.equal(busy, 0);
  assert.ok(started <= 6, `${started} started`);
  assert.ok(isClosed);
});

test('a source that fails is a failure', async () => {
  async function* items(): AsyncGenerator<number> {
    yield 1;
    throw new Error('no more');
  }
  await assert.rejects(
    runLanes(4, items(), async () => {}),
    /no more/,
  );
});

test('work is told of an abort from outside', async () => {
  const controller = new AbortController();
  const seen: boolean[] = [];
  const work = async (_: number, signal: AbortSignal): Promise<void> => {
    controller.abort();
    seen.push(signal.aborted);
  };
  await runLanes(1, [1], work, controller.signal);
  assert.deepEqual(seen, [true]);
});
