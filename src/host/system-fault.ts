/**
 * Faults of the operating system: what went wrong with which path, as whom, and what to do about it.
 *
 * An error that is not a system call's is a programmer's and passes through as it is.
 */

import { statSync } from 'node:fs';
import { dirname } from 'node:path';

import { Fault, messageOf, type FaultKind } from '../base/fault.ts';

interface Meaning {
  readonly kind: FaultKind;
  readonly code: string;
  readonly says: string;
  readonly hint?: string;
}

const FORBIDDEN = { kind: 'invalid', code: 'file-forbidden', says: 'permission denied' } as const;
const FULL = {
  kind: 'unavailable',
  code: 'disk-full',
  says: 'no space left',
  hint: 'free some space',
} as const;
const DESCRIPTORS = {
  kind: 'unavailable',
  code: 'descriptors-exhausted',
  says: 'too many open files',
  hint: 'raise the limit (`ulimit -n`)',
} as const;
const KIND = { kind: 'invalid', code: 'file-kind', says: 'the wrong kind of file' } as const;

/** What each of the system's error codes means here. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  EROFS: {
    kind: 'invalid',
    code: 'file-system-readonly',
    says: 'the file system is mounted read-only',
    hint: 'use a path on a file system that may be written',
  },
  ENOENT: { kind: 'invalid', code: 'file-missing', says: 'no such file or directory' },
  EEXIST: { kind: 'invalid', code: 'file-exists', says: 'the file exists' },
  EISDIR: KIND,
  ENOTDIR: KIND,
  ELOOP: KIND,
  ENOTEMPTY: KIND,
  ENAMETOOLONG: { kind: 'invalid', code: 'path-too-long', says: 'the path is too long' },
  ERR_INVALID_ARG_VALUE: {
    kind: 'invalid',
    code: 'path-malformed',
    says: 'a path without zero bytes is needed',
  },
  EXDEV: {
    kind: 'invalid',
    code: 'file-systems-differ',
    says: 'the two paths are on different file systems',
    hint: 'use paths on one file system',
  },
  ENOSPC: FULL,
  EDQUOT: FULL,
  EFBIG: FULL,
  EMFILE: DESCRIPTORS,
  ENFILE: DESCRIPTORS,
  EBUSY: { kind: 'unavailable', code: 'file-busy', says: 'the file is in use' },
  EIO: {
    kind: 'unavailable',
    code: 'disk-error',
    says: 'input/output error',
    hint: 'look at the disk (`dmesg`)',
  },
};

/** Runs a system call; its error becomes a Fault that names `path` and `doing` ("open", "write"). */
export function system<T>(doing: string, path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw systemFault(doing, path, error);
  }
}

/** The Fault that an error of a system call means; any other error as it is. */
export function systemFault(doing: string, path: string, error: unknown): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  const meaning = MEANINGS[code] ?? {
    kind: 'unavailable',
    code: 'system-error',
    says: messageOf(error),
  };
  const { hint, whose } =
    meaning.code === 'file-forbidden' ? ownership(path) : { hint: meaning.hint, whose: '' };
  return new Fault(meaning.kind, meaning.code, `cannot ${doing} ${path}: ${meaning.says}${whose}`, {
    cause: error,
    details: { path, system: code },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The system's or Node's own code of an error (`ENOENT`), if it is a failed call's. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return 'syscall' in error || error.code in MEANINGS ? error.code : undefined;
}

/** Whether `error` says that there is nothing at the path. */
export function isAbsence(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** The uid that this process acts as; `null` where there is no such thing. */
export function processUid(): number | null {
  return process.geteuid?.() ?? null;
}

/** Whose the nearest thing at or above `path` is that can be seen, and who asks. */
function ownership(path: string): { readonly whose: string; readonly hint: string } {
  const uid = processUid();
  for (let at = path; ; at = dirname(at)) {
    try {
      const { uid: owner, mode } = statSync(at);
      const bits = (mode & 0o777).toString(8).padStart(3, '0');
      return {
        whose: ` (${at} belongs to uid ${owner}, mode ${bits}; this process is uid ${uid})`,
        hint: `run as uid ${owner}, or give uid ${uid} access to ${at}`,
      };
    } catch {
      if (dirname(at) === at)
        return { whose: ` (this process is uid ${uid})`, hint: 'run as the owner of the file' };
    }
  }
}
