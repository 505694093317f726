/**
 * One committed state of a whole database, read while others write it (or while nobody does).
 *
 * The reading visits every page once, in order, and counts only if the state held still to the end; a visitor
 * is thrown away with a reading that did not.
 */

import { Fault } from '../base/fault.ts';
import type { WallMs } from '../base/ids.ts';
import type { Clock, DatabaseHandle, Databases } from '../base/ports.ts';
import { Slices } from '../base/task.ts';
import type { WalIndex } from '../format/wal-index.ts';
import { imageSize, readImage } from './image-reader.ts';
import type { ImageSource, PageBatch } from './image-reader.ts';
import { LogReader } from './log-reader.ts';
import type { WalPosition } from './position.ts';

export const LIMITS = {
  attemptsMax: 3,
  /** Two changes within a tick of a file system's clock leave the same time: Linux's took up to 10 ms. */
  tickMs: 20,
} as const;

/** Sees every page of an image; `value` is what it made of them. */
export interface Visitor<T> {
  batch(batch: PageBatch): void;
  readonly value: T;
}

/** A state that was read whole. */
export interface Reading<T> {
  readonly value: T;
  /** The database's size in pages. */
  readonly size: number;
  /** Behind the newest commit in it; `null` where there is no log. */
  readonly position: WalPosition | null;
  /** Every commit that was acknowledged before is in it. */
  readonly asOfMs: WallMs;
}

/** What is done with a reading while its read transaction still holds the log in place. */
export type Settle<T> = (reading: Reading<T>) => Promise<void>;

/** What is read. */
export interface Subject {
  readonly handle: DatabaseHandle;
  readonly pageSize: number;
  /** Ends a reading with Fault `reading-interrupted`: no pin outlasts it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads an attached database under a read transaction. The header is read after the pin, never before (B5).
 * Faults: `image-unsteady` after a few vain attempts.
 */
export async function readAttached<T>(
  clock: Clock,
  { handle, pageSize, signal }: Subject,
  begin: () => Visitor<T>,
  settle: Settle<T>,
): Promise<Reading<T>> {
  const reader = new LogReader(handle, pageSize);
  for (let attempt = 0; attempt < LIMITS.attemptsMax; attempt++) {
    handle.pin();
    try {
      const asOfMs = clock.wallMs();
      const header = reader.index();
      if (header === null) continue;
      const source = { handle, pageSize, log: { reader, header } };
      const visitor = begin();
      if (await visit(clock, source, visitor, signal)) {
        const position = positionOf(header);
        const reading = { value: visitor.value, size: imageSize(source), position, asOfMs };
        await settle(reading);
        return reading;
      }
    } finally {
      handle.unpin();
    }
  }
  throw new Fault(
    'unavailable',
    'image-unsteady',
    `the log changed under ${LIMITS.attemptsMax} readings of ${handle.path}`,
  );
}

/**
 * Reads the main file of a database that nobody has open. A writer would have to make a `-wal` first, and
 * only then could a checkpoint change the file: if neither happened, what was read is one state. `null`: it
 * did happen.
 */
export async function readAtRest<T>(
  clock: Clock,
  databases: Databases,
  { handle, pageSize, signal }: Subject,
  begin: () => Visitor<T>,
): Promise<Reading<T> | null> {
  const before = atRest(databases, handle.path);
  if (before === null) return null;
  // From here on a change shows: it is in another tick than the last one, which the reading contains.
  await clock.sleep(LIMITS.tickMs);
  const asOfMs = clock.wallMs();
  const source = { handle, pageSize, log: null };
  const size = imageSize(source);
  const visitor = begin();
  const whole = await visit(clock, source, visitor, signal);
  const after = atRest(databases, handle.path);
  if (!whole || after === null || after !== before) return null;
  return { value: visitor.value, size, position: null, asOfMs };
}

/**
 * Reads the main file alone, whatever a log says, and whoever writes it meanwhile: no state, unless a
 * checksum says so.
 */
export async function readMainFile<T>(
  clock: Clock,
  { handle, pageSize, signal }: Subject,
  begin: () => Visitor<T>,
): Promise<T> {
  const visitor = begin();
  await visit(clock, { handle, pageSize, log: null }, visitor, signal);
  return visitor.value;
}

/** What would change if anybody wrote the database; `null` where somebody may be at it. */
function atRest(databases: Databases, path: string): string | null {
  const { main, wal, journal } = databases.probe(path);
  if (main === null || journal !== null || (wal !== null && wal.size > 0)) return null;
  return `${main.dev} ${main.ino} ${main.size} ${main.mtimeMs}`;
}

async function visit<T>(
  clock: Clock,
  source: ImageSource,
  visitor: Visitor<T>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const image = readImage(source, new Slices(clock));
  for (;;) {
    const step = await image.next();
    if (step.done === true) return step.value;
    if (signal?.aborted === true) {
      throw new Fault(
        'unavailable',
        'reading-interrupted',
        `the end came while ${source.handle.path} was read`,
      );
    }
    visitor.batch(step.value);
  }
}

function positionOf(header: WalIndex): WalPosition {
  const { bigEndian, salt1, salt2, mxFrame, frameChecksum, iChange } = header;
  return { bigEndian, salt1, salt2, frames: mxFrame, checksum: frameChecksum, iChange };
}
