/** Progress with an estimate of the time left, on a terminal; silent everywhere else. */

import cliProgress from 'cli-progress';
import { bytesFigure, durationFigure } from './figures.ts';
import type { Output } from './output.ts';

/** One bar, from 0 to a total that may be corrected on the way. */
export interface Progress {
  update(done: number, total: number, phase: string): void;
  stop(): void;
}

const SILENT: Progress = { update() {}, stop() {} };

/** A bar of bytes on stderr. */
export function progressOf(output: Output): Progress {
  if (!output.isLive) return SILENT;
  const bar = new cliProgress.SingleBar({
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 50,
    fps: 10,
    format: (_options, params, payload: { phase?: string }) => {
      const width = 30;
      const filled = Math.round(width * params.progress);
      const drawn = '█'.repeat(filled) + '░'.repeat(width - filled);
      const elapsedMs = Date.now() - params.startTime;
      const eta = params.progress > 0 ? (elapsedMs / params.progress) * (1 - params.progress) : null;
      const left = eta === null ? '' : ` · ${durationFigure(eta)} left`;
      const percent = `${Math.floor(params.progress * 100)} %`.padStart(5);
      const figures = `${bytesFigure(params.value)} of ${bytesFigure(params.total)}`;
      return `${drawn} ${percent} · ${payload.phase ?? ''} ${figures}${left}`;
    },
  });
  let isStarted = false;
  return {
    update(done, total, phase) {
      if (!isStarted) bar.start(total, done, { phase });
      isStarted = true;
      bar.setTotal(total);
      bar.update(done, { phase });
    },
    stop() {
      if (isStarted) bar.stop();
      isStarted = false;
    },
  };
}

/** One line on a terminal that is rewritten in place, for work without an end. */
export class LiveLine {
  readonly #isLive: boolean;
  #isShown = false;

  constructor(output: Output) {
    this.#isLive = output.isLive;
  }

  show(text: string): void {
    if (!this.#isLive) return;
    process.stderr.write(`\r\u001b[2K${text.slice(0, (process.stderr.columns || 80) - 1)}`);
    this.#isShown = true;
  }

  /** Removes the line, so that others can follow. */
  clear(): void {
    if (this.#isShown) process.stderr.write('\r\u001b[2K');
    this.#isShown = false;
  }
}
