/**
 * The hazards of observing SQLite, one test each: with the shipped rule nothing is missed and nothing
 * invented; with the simpler rule, which each test also runs, something is.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CaptureRig, copyVisitor } from '../../test/support/capture-rig.ts';
import {
  COUNTS_EVERY_MARK,
  COUNTS_OVER_RESTARTS,
  TAKES_THE_WHOLE_TAIL,
} from '../../test/support/simpler-verdicts.ts';
import { Slices } from '../base/task.ts';
import type { Changes } from '../../sim/world/database.ts';
import { readImage } from './image-reader.ts';
import { LogReader } from './log-reader.ts';
import type { Verdicts } from './observer.ts';

const PAGE: Changes = { pages: [2] };

/** Everything is in the main file: the next commit starts the log anew. */
function restartNext(rig: CaptureRig): void {
  rig.app.checkpoint('passive');
}

// B1: without powersafe overwrite a commit frame is repeated to fill the sector.

test('B1: padding that repeats a commit frame is no gap inside one log', async () => {
  for (const verdicts of [undefined, COUNTS_EVERY_MARK]) {
    const rig = await CaptureRig.start({ seed: 11, verdicts });
    rig.app.commit(PAGE);
    await rig.pass();
    for (let i = 0; i < 5; i++) rig.app.commitPadded(PAGE);
    const { found } = await rig.pass();
    assert.equal(found, verdicts === undefined ? 'commits' : 'gap');
    if (verdicts === undefined) assert.ok(rig.isAtHead());
  }
});

/**
 * `lost` commits go with the old log; one commit of the log that follows is padded, and overwrites their
 * tail.
 */
async function lostBehindPadding(lost: number, verdicts?: Verdicts): Promise<CaptureRig> {
  const rig = await CaptureRig.start({ seed: 12, verdicts });
  for (let i = 0; i < 3; i++) rig.app.commit(PAGE);
  await rig.pass();
  for (let i = 0; i < lost; i++) rig.app.commit({ pages: [3] });
  restartNext(rig);
  rig.app.commitPadded(PAGE);
  return rig;
}

test('B1: a count that padding makes good across a restart is a gap', async () => {
  const marks = (await lostBehindPadding(0)).app.connection.header.mxFrame;
  assert.ok(marks > 4, 'a padded commit repeats its mark');
  const rig = await lostBehindPadding(marks - 1);
  assert.equal((await rig.pass()).found, 'gap');
  const simple = await lostBehindPadding(marks - 1, COUNTS_EVERY_MARK);
  assert.equal((await simple.pass()).found, 'commits', 'the simpler rule finds its count right');
  assert.ok(!simple.isCommittedState(), 'and has lost the commits of the old log');
});

// B2: complete, chained frames behind the log's end that were never committed.

async function ghostThenRestart(verdicts?: Verdicts): Promise<CaptureRig> {
  const rig = await CaptureRig.start({ seed: 21, verdicts });
  rig.app.commit(PAGE);
  rig.app.commit(PAGE);
  await rig.pass();
  rig.app.ghost({ pages: [3] });
  restartNext(rig);
  rig.app.commit(PAGE);
  return rig;
}

test('B2: the ghost of a failed fsync in the old tail is dropped at a restart', async () => {
  const rig = await ghostThenRestart();
  assert.equal((await rig.pass()).found, 'commits');
  assert.ok(rig.isAtHead());
  const simple = await ghostThenRestart(TAKES_THE_WHOLE_TAIL);
  assert.equal((await simple.pass()).found, 'commits');
  assert.ok(!simple.isCommittedState(), 'the simpler rule ships what was never committed');
});

test('B2: commits of the old tail that were real are taken, and no more', async () => {
  const rig = await CaptureRig.start({ seed: 22 });
  rig.app.commit(PAGE);
  await rig.pass();
  rig.app.commit({ pages: [3] });
  rig.app.commit({ pages: [4] });
  rig.app.ghost({ pages: [3] });
  restartNext(rig);
  rig.app.commit(PAGE);
  assert.equal((await rig.pass()).found, 'commits');
  assert.equal(rig.captured, 4);
  assert.ok(rig.isAtHead());
});

async function ghostAndMissedCommit(verdicts?: Verdicts): Promise<CaptureRig> {
  const rig = await CaptureRig.start({ seed: 23, verdicts });
  for (let i = 0; i < 3; i++) rig.app.commit(PAGE);
  await rig.pass();
  rig.app.ghost({ pages: [3] });
  restartNext(rig);
  rig.app.commit({ pages: [4] });
  restartNext(rig);
  rig.app.commit(PAGE);
  return rig;
}

test('B2: a ghost does not stand in for a commit that was lost with a whole log', async () => {
  const rig = await ghostAndMissedCommit();
  assert.equal((await rig.pass()).found, 'gap');
  const simple = await ghostAndMissedCommit(COUNTS_OVER_RESTARTS);
  assert.equal((await simple.pass()).found, 'commits', 'the simpler rule finds its count right');
  assert.ok(!simple.isCommittedState(), 'and ships a state that never was');
});

// B3: recovery sets the commit counter to 0 and keeps the salts.

async function recoveredMeanwhile(keepsCounter: boolean): Promise<CaptureRig> {
  const rig = await CaptureRig.start({ seed: 31 });
  for (let i = 0; i < 6; i++) rig.app.commit(PAGE);
  await rig.pass();
  const position = rig.observer.position;
  assert.ok(position !== null && position.iChange !== null && position.iChange >= 6);
  const then = position.iChange;
  rig.app.recover();
  // The log restarts; of its commits, as many are lost as the counter fell back by.
  for (let i = 0; i < then; i++) rig.app.commit({ pages: [3] });
  restartNext(rig);
  for (let i = 0; i < 20; i++) rig.app.commit(PAGE);
  rig.resume(keepsCounter ? position : { ...position, iChange: null });
  return rig;
}

test('B3: a commit counter from before an interruption proves nothing across a restart', async () => {
  const rig = await recoveredMeanwhile(false);
  assert.equal((await rig.pass()).found, 'gap');
  const simple = await recoveredMeanwhile(true);
  assert.equal((await simple.pass()).found, 'commits', 'the simpler rule finds its count right');
  assert.ok(!simple.isAtHead(), 'and has lost commits');
});

test('B3: a counter that climbed back to the right number over many logs proves nothing', async () => {
  const rig = await CaptureRig.start({ seed: 33 });
  for (let i = 0; i < 6; i++) rig.app.commit(PAGE);
  await rig.pass();
  const then = rig.observer.position?.iChange ?? 0;
  rig.app.recover();
  // Log after log, longer than the last, until the newest commit has the number that follows `then`.
  while (rig.app.connection.header.iChange !== then) {
    rig.app.commit({ pages: [3, 4] });
    restartNext(rig);
  }
  rig.app.commit(PAGE);
  assert.equal((await rig.pass()).found, 'gap');
});

test('B3: inside one log the chain alone resumes, whatever the counter says', async () => {
  const rig = await CaptureRig.start({ seed: 32 });
  rig.app.commit(PAGE);
  await rig.pass();
  const position = rig.observer.position;
  assert.ok(position !== null);
  rig.app.recover();
  rig.app.commit({ pages: [3] });
  rig.resume({ ...position, iChange: null });
  assert.equal((await rig.pass()).found, 'commits');
  assert.ok(rig.isAtHead());
});

// B4: a read transaction that began on a log that is wholly in the main file protects that file, not the log.

test('B4: a reading whose log restarts under its pin is made anew', async () => {
  const rig = await CaptureRig.start({ seed: 41, application: { sizePages: 6 } });
  for (let i = 0; i < 4; i++) rig.app.commit({ pages: [2, 3, 4] });
  restartNext(rig);
  const reader = new LogReader(rig.handle, rig.app.pageSize);
  rig.handle.pin();
  const header = reader.index();
  assert.ok(header !== null);
  for (let i = 0; i < 4; i++) rig.app.commit({ pages: [2, 5] });
  assert.notEqual(reader.index()?.salt1, header.salt1, 'the pin did not hold the log');
  const image = readImage(
    { handle: rig.handle, pageSize: rig.app.pageSize, log: { reader, header } },
    new Slices(rig.machine.clock),
  );
  const { done, value } = await image.next();
  assert.ok(done === true && !value, 'the reading says that it is no state');
  rig.handle.unpin();
  await rig.heal();
  assert.ok(rig.isAtHead());
});

// B5: the header is read after the pin.

test('B5: an image by a header from before the pin is torn, one from after it is a state', async () => {
  const rig = await CaptureRig.start({ seed: 51, application: { sizePages: 6 } });
  const { pageSize } = rig.app;
  for (let i = 0; i < 3; i++) rig.app.commit({ pages: [2, 3] });
  const reader = new LogReader(rig.handle, pageSize);
  const before = reader.index();
  assert.ok(before !== null);
  // Between header and pin: commits that the checkpoint copies to the main file, in the same log.
  rig.app.commit({ pages: [4, 5] });
  rig.app.commit({ pages: [2, 4] });
  rig.app.checkpoint('passive');
  rig.handle.pin();
  const torn = copyVisitor(pageSize);
  const image = readImage(
    { handle: rig.handle, pageSize, log: { reader, header: before } },
    new Slices(rig.machine.clock),
  );
  for (let step = await image.next(); step.done !== true; step = await image.next()) torn.batch(step.value);
  rig.handle.unpin();
  rig.pages = torn.value;
  assert.ok(!rig.isCommittedState(), 'the simpler rule reads a mix of two states');
  await rig.heal();
  assert.ok(rig.isAtHead());
});

// B6: one committed transaction may hold frames of pages beyond its size.

test('B6: frames beyond the committed size are in the log and not in the TXID', async () => {
  const rig = await CaptureRig.start({ seed: 61, application: { sizePages: 8 } });
  rig.app.spillThenShrink(4);
  const reader = new LogReader(rig.handle, rig.app.pageSize);
  const header = reader.index();
  assert.ok(header !== null);
  const chain = reader.start(header);
  assert.ok(chain !== null);
  const { run } = reader.frames(chain, 0, header.mxFrame);
  const beyond = Array.from({ length: run.count }, (_, i) => run.pgno(i)).filter(
    (pgno) => pgno > header.nPage,
  );
  assert.ok(beyond.length > 0, 'the simpler rule would take these pages');
  assert.equal((await rig.pass()).found, 'commits');
  assert.ok(rig.isAtHead());
  assert.equal(rig.pages.length, 4);
});

test('B6: pages that fell off and came back unwritten are read again', async () => {
  const rig = await CaptureRig.start({ seed: 62, application: { sizePages: 8 } });
  rig.app.commit({ pages: [2], size: 4 });
  rig.app.commit({ pages: [2], size: 8, unwritten: [5, 6, 7, 8] });
  await rig.world.run(rig.observer.pass());
  assert.deepEqual([...rig.open.take().pgnos], [1, 2, 5, 6, 7, 8]);
});
