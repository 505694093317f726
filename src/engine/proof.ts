/**
 * The verdicts that capture rests on: was nothing missed, and nothing invented? Pure.
 *
 * Inside one generation of the log the checksum chain is the proof, and SQLite's commit counter must agree.
 * Across one restart the counter says how many commits of the old tail were real: exactly that many are
 * taken, so that neither a missed commit nor the ghost of a failed fsync (B2) gets through. Sector padding
 * repeats commit frames (B1): where that could change a count across a restart, there is no proof.
 */

/** A run of verified frames, counted. `suspects`: commit frames that may be padding of the one before. */
export interface CommitCount {
  readonly commits: number;
  readonly suspects: number;
}

export type Verdict<T> = { readonly proved: T } | { readonly gap: string };

/** The steps from one value of a counter that wraps at 2³² to a later one. */
function steps(then: number, now: number): number {
  return (now - then) >>> 0;
}

/**
 * Same salts: the chain is intact over `found`; does the counter agree? Proves the counter to go on from, and
 * how many commits there were, padding aside.
 */
export function sameLogVerdict(
  then: number | null,
  now: number,
  found: CommitCount,
): Verdict<{ iChange: number; commits: number }> {
  if (then === null) return { proved: { iChange: now, commits: found.commits } };
  const grown = steps(then, now);
  if (grown > found.commits || grown < found.commits - found.suspects) {
    return { gap: `the commit counter moved by ${grown}, the log shows ${found.commits} commits` };
  }
  return { proved: { iChange: now, commits: grown } };
}

export interface RestartEvidence {
  /** Counter at the position held, and in the header that shows the other salts. */
  readonly iChangeThen: number | null;
  readonly iChangeNow: number;
  /** Salt-1 grew by exactly one: one restart. Anything else may hide any number of generations. */
  readonly oneRestart: boolean;
  /**
   * Behind `mxFrame` the log holds nothing of another generation: it was truncated, or overwritten to its
   * end.
   */
  readonly isClean: boolean;
  /** What the log under the other salts holds, up to its `mxFrame`. */
  readonly found: CommitCount;
  /** What is left of the old log behind the position: complete, chained commits, real or ghosts. */
  readonly tail: CommitCount;
}

/** Other salts: how many commits at the front of the old tail were committed? */
export function restartVerdict(evidence: RestartEvidence): Verdict<{ take: number }> {
  const { iChangeThen, iChangeNow, found, tail, oneRestart, isClean } = evidence;
  if (iChangeThen === null)
    return { gap: 'the log restarted while the commit counter could not be compared' };
  const missed = steps(iChangeThen, (iChangeNow - found.commits) >>> 0);
  // A log is restarted only when it holds a commit. If none is missing over several restarts, all but the
  // newest log were empty, so each was truncated; frames of another one say that the counter was reset
  // meanwhile (B3).
  if (missed === 0 && !oneRestart && !isClean)
    return { gap: 'the log restarted more than once, with commits in it' };
  if (missed === 0 && found.suspects === 0) return { proved: { take: 0 } };
  if (!oneRestart) return { gap: `the log restarted more than once, ${missed} commits are not in it` };
  if (found.suspects + tail.suspects > 0)
    return { gap: 'commit frames that may be padding make the count ambiguous' };
  if (missed > tail.commits)
    return { gap: `${missed} commits were made before the restart, ${tail.commits} are left` };
  return { proved: { take: missed } };
}
