/** Where `millrace restore` reads: an archive by its URL, or by the database that was replicated to it. */

import { resolve } from 'node:path';
import { Fault } from '../base/fault.ts';
import type { Machine } from '../base/ports.ts';
import { stateIdentity } from '../engine/state.ts';
import type { Archive } from '../storage/archive.ts';
import { archiveOpen } from './machine.ts';

/** The archive, and the database it was asked for by; `null` if it was a URL. */
export interface RestoreSource {
  readonly archive: Archive;
  readonly database: string | null;
}

/** What `typed` means. Fault `source-unknown`, and those of a URL. */
export function restoreSource(machine: Machine, typed: string): RestoreSource {
  const isUrl = /^[A-Za-z][A-Za-z0-9+.-]*:/.test(typed);
  const path = resolve(typed);
  if (isUrl || machine.files.stat(path)?.kind === 'directory') {
    return { archive: archiveOpen(machine, typed), database: null };
  }
  const identity = stateIdentity(machine.files, path);
  if (identity !== null) return { archive: archiveOpen(machine, identity.url), database: path };
  throw new Fault(
    'invalid',
    'source-unknown',
    `${path} is no archive, and no state of replicating it is beside it`,
    {
      hint: 'give the URL of the archive: millrace restore file:///backup/app -o FILE',
    },
  );
}
