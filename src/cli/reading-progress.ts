/**
 * Progress of reading a whole database: seen by whoever stands between the engine and the machine.
 *
 * A whole reading goes through the main file from its beginning to its end, so the offset is the progress.
 */

import type { Databases } from '../base/ports.ts';
import { bytesFigure, durationFigure } from './figures.ts';
import type { LiveLine } from './progress.ts';

export const LIMITS = { everyMs: 100, bytesMin: 1_048_576 } as const;

/** The same databases; while `isReading`, their reading is shown on `live`. */
export function readingShown(databases: Databases, live: LiveLine, isReading: () => boolean): Databases {
  return {
    probe: (path) => databases.probe(path),
    settle: (path) => databases.settle(path),
    watch: (path, onChange) => databases.watch(path, onChange),
    open(path) {
      const handle = databases.open(path);
      const read = handle.readMain.bind(handle);
      const shown = new Reading(live);
      handle.readMain = (into, at) => {
        if (isReading()) shown.show(at, () => handle.mainSize());
        return read(into, at);
      };
      return handle;
    },
  };
}

class Reading {
  readonly #live: LiveLine;
  #startedMs = 0;
  #shownMs = 0;
  #at = Infinity;

  constructor(live: LiveLine) {
    this.#live = live;
  }

  show(at: number, sizeOf: () => number): void {
    const nowMs = performance.now();
    if (at < this.#at) this.#startedMs = nowMs;
    this.#at = at;
    if (nowMs - this.#shownMs < LIMITS.everyMs || at < LIMITS.bytesMin) return;
    this.#shownMs = nowMs;
    const size = sizeOf();
    const leftMs = ((nowMs - this.#startedMs) / at) * Math.max(0, size - at);
    const percent = Math.floor((100 * at) / Math.max(at, size));
    const figures = `${bytesFigure(at)} of ${bytesFigure(size)} · ${durationFigure(leftMs)} left`;
    this.#live.show(`reading the database: ${percent} % · ${figures}`);
  }
}
