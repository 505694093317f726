/** When to look, and when to seal. Pure. */

export const LIMITS = { passMsMin: 1, passMsMax: 5, logFramesDefault: 1_000 } as const;

/** What the time of the next pass depends on. */
export interface Traffic {
  /** Frames that the last pass took, and the time since the pass before it. */
  readonly frames: number;
  readonly elapsedMs: number;
  /** The length that the log had when it restarted last; 0 is not known. */
  readonly logFrames: number;
}

/** The pause before the next pass over a busy log: at most a quarter of the time in which the log fills. */
export function passMs(traffic: Traffic): number {
  const { frames, elapsedMs, logFrames } = traffic;
  if (frames === 0) return LIMITS.passMsMax;
  const framesPerMs = frames / Math.max(elapsedMs, LIMITS.passMsMin);
  const fillMs = (logFrames === 0 ? LIMITS.logFramesDefault : logFrames) / framesPerMs;
  return Math.min(LIMITS.passMsMax, Math.max(LIMITS.passMsMin, fillMs / 4));
}

/** What the time of the next seal depends on. Times are monotonic. */
export interface SealPressure {
  readonly nowMs: number;
  /** When the oldest commit in the open TXID was captured; `null`: there is none. */
  readonly openedMs: number | null;
  /** When the last seal was made; `null`: there was none. */
  readonly sealedMs: number | null;
  readonly isWaitedFor: boolean;
  readonly isFull: boolean;
  readonly uploadIntervalMs: number;
  readonly idleFlushMs: number;
}

/** How long until the open TXID is due to be sealed: 0 is at once, `null` is never. */
export function sealDueMs(pressure: SealPressure): number | null {
  const { nowMs, openedMs, sealedMs, uploadIntervalMs, idleFlushMs } = pressure;
  if (openedMs === null) return null;
  if (pressure.isWaitedFor || pressure.isFull || uploadIntervalMs === 0) return 0;
  // The first write after idle goes out early: nobody else's would share its upload.
  const afterIdleMs = openedMs + Math.min(idleFlushMs, uploadIntervalMs);
  const dueMs = sealedMs === null ? afterIdleMs : Math.max(afterIdleMs, sealedMs + uploadIntervalMs);
  return Math.max(0, dueMs - nowMs);
}
