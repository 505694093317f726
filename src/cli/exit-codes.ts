/**
 * Exit codes: part of the API, one for each thing a script can do about it.
 *
 * A Fault's kind alone decides its code, so that the table holds for every command.
 */

import type { FaultKind } from '../base/fault.ts';

export const EXIT = {
  ok: 0,
  bug: 1,
  invalid: 2,
  unavailable: 3,
  conflict: 4,
  fenced: 5,
  gap: 6,
  corrupt: 7,
  notDurable: 75,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each code says, and what to do: the table of docs/reference/exit-codes.md. */
export const EXIT_CODES: readonly {
  readonly code: ExitCode;
  readonly means: string;
  readonly act: string;
}[] = [
  { code: EXIT.ok, means: 'done', act: 'nothing' },
  { code: EXIT.bug, means: 'a defect in Millrace, or a check of `demo` that did not hold', act: 'report it' },
  {
    code: EXIT.invalid,
    means: 'the request cannot be carried out as it is',
    act: 'correct the command; the hint says how',
  },
  {
    code: EXIT.unavailable,
    means: 'the store, the disk or the database does not answer',
    act: 'try again later',
  },
  {
    code: EXIT.conflict,
    means: 'something else changed it at the same time',
    act: 'look again, then decide',
  },
  { code: EXIT.fenced, means: 'another writer has taken over this archive', act: 'do not restart this one' },
  {
    code: EXIT.gap,
    means: 'history is missing',
    act: 'restore another moment, or continue with a difference',
  },
  {
    code: EXIT.corrupt,
    means: 'bytes are not what their checksum says',
    act: 'keep the evidence; restore elsewhere',
  },
  {
    code: EXIT.notDurable,
    means: '`replicate` ended, and some commits are not in the store',
    act: 'start it again',
  },
  { code: EXIT.interrupted, means: 'stopped by SIGINT (`replicate`: by the second one)', act: 'nothing' },
  { code: EXIT.terminated, means: 'stopped by SIGTERM (`replicate`: by the second one)', act: 'nothing' },
];

/** The exit code of a Fault. */
export function exitCodeOf(kind: FaultKind): ExitCode {
  return EXIT[kind];
}
