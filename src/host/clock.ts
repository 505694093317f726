/** The real clock. Sleeps and yields keep the process alive; an aborted sleep leaves no timer behind. */

import type { MonoMs, WallMs } from '../base/ids.ts';
import type { Clock } from '../base/ports.ts';

/** Node's timers fire at once for anything above 2³¹−1: longer sleeps are made of several. */
export const LIMITS = { timerMsMax: 0x7fff_ffff } as const;

/** The Clock of this machine. */
export const hostClock: Clock = {
  wallMs: () => Date.now() as WallMs,
  monoMs: () => performance.now() as MonoMs,
  async sleep(ms, signal) {
    let leftMs = ms;
    while (leftMs > LIMITS.timerMsMax && !isAborted(signal)) {
      await timer(LIMITS.timerMsMax, signal);
      leftMs -= LIMITS.timerMsMax;
    }
    if (!isAborted(signal)) await timer(leftMs, signal);
  },
  yield: () => new Promise((resolve) => setImmediate(resolve)),
};

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timeout);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timeout = setTimeout(done, Math.max(0, ms));
    signal?.addEventListener('abort', done);
  });
}
