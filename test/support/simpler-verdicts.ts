/** The simpler rules that experiments broke: each hazard's test shows what they let through. */

import type { Verdicts } from '../../src/engine/observer.ts';
import { restartVerdict, sameLogVerdict } from '../../src/engine/proof.ts';

const HONEST: Verdicts = { sameLog: sameLogVerdict, restart: restartVerdict };

/** Every commit frame is a commit: padding is not thought of (B1). */
export const COUNTS_EVERY_MARK: Verdicts = {
  sameLog: (then, now, found) => HONEST.sameLog(then, now, { ...found, suspects: 0 }),
  restart: (evidence) =>
    HONEST.restart({
      ...evidence,
      found: { ...evidence.found, suspects: 0 },
      tail: { ...evidence.tail, suspects: 0 },
    }),
};

/** Whatever chains on behind the position was committed (B2). */
export const TAKES_THE_WHOLE_TAIL: Verdicts = {
  ...HONEST,
  restart: ({ tail }) => ({ proved: { take: tail.commits } }),
};

/** The count alone decides, however often the log restarted (B2). */
export const COUNTS_OVER_RESTARTS: Verdicts = {
  ...HONEST,
  restart: (evidence) => HONEST.restart({ ...evidence, oneRestart: true }),
};
