/**
 * SIGINT and SIGTERM: the first asks the command to end in good order, the second ends the process at once.
 *
 * A second of the same or the other kind within a tenth of a second of the first is the same request (a
 * terminal's ^C reaches a process directly and again through `npm run`), so it is not taken for impatience.
 */

import { EXIT } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

export const LIMITS = { sameRequestMs: 100 } as const;

/** Signals of this process, as an abort. */
export interface Signals extends Disposable {
  readonly signal: AbortSignal;
  /** 130 or 143 after a signal; `null` before. */
  readonly exitCode: () => ExitCode | null;
}

/** Listens until disposed. `onFirst` is told which signal came. */
export function signalsOpen(onFirst: (name: string) => void): Signals {
  const controller = new AbortController();
  let code: ExitCode | null = null;
  let firstMs = 0;
  const heard = (name: NodeJS.Signals): void => {
    const own = name === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
    if (code !== null && performance.now() - firstMs < LIMITS.sameRequestMs) return;
    if (code !== null) process.exit(own);
    code = own;
    firstMs = performance.now();
    onFirst(name);
    controller.abort();
  };
  process.on('SIGINT', heard);
  process.on('SIGTERM', heard);
  return {
    signal: controller.signal,
    exitCode: () => code,
    [Symbol.dispose]() {
      process.off('SIGINT', heard);
      process.off('SIGTERM', heard);
    },
  };
}
