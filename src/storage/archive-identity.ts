/**
 * `millrace.json`: what an archive says of itself, the lineages in it and the version of its format.
 *
 *     {"format":1,"lineages":[{"id":"00f1…","createdMs":1764021600000,"pageSize":4096,"prefix":""}]}
 *
 * It is written once, when the archive is made. An unknown format is refused; unknown fields are not read.
 */

import { text, utf8 } from '../base/bytes.ts';
import { Fault, messageOf } from '../base/fault.ts';
import { isPageSize } from '../format/sqlite-header.ts';

export const LIMITS = { lineagesMax: 1_000 } as const;

/** One lineage: the history of one database from its birth. */
export interface Lineage {
  /** 16 lower-case hex digits, by chance. */
  readonly id: string;
  readonly createdMs: number;
  readonly pageSize: number;
  /** What the keys of its files begin with, inside the archive; empty for the first lineage. */
  readonly prefix: string;
}

/** What an archive says of itself. */
export interface ArchiveIdentity {
  readonly format: 1;
  readonly lineages: readonly Lineage[];
}

/** The bytes of `millrace.json`. */
export function identityEncode(identity: ArchiveIdentity): Uint8Array {
  const { format, lineages } = identity;
  const fields = lineages.map(({ id, createdMs, pageSize, prefix }) => ({ id, createdMs, pageSize, prefix }));
  const bytes = utf8(`${JSON.stringify({ format, lineages: fields })}\n`);
  identityDecode(bytes);
  return bytes;
}

/**
 * Reads `millrace.json`. Faults: `identity-malformed` (corrupt), `identity-format` (invalid: another
 * version's).
 */
export function identityDecode(bytes: Uint8Array): ArchiveIdentity {
  const { format, lineages } = fieldsOf(parse(bytes));
  if (Number.isSafeInteger(format) && format !== 1) {
    throw new Fault(
      'invalid',
      'identity-format',
      `the archive has format ${String(format)}; this Millrace reads 1`,
      {
        hint: 'use the version of Millrace that wrote it, or a later one',
      },
    );
  }
  if (format !== 1 || !Array.isArray(lineages)) throw malformed('it has no format or no lineages');
  if (lineages.length === 0 || lineages.length > LIMITS.lineagesMax) {
    throw malformed(`it names ${lineages.length} lineages`);
  }
  return { format, lineages: lineages.map(lineageDecode) };
}

function lineageDecode(value: unknown): Lineage {
  const { id, createdMs, pageSize, prefix } = fieldsOf(value);
  if (typeof id !== 'string' || !/^[0-9a-f]{16}$/.test(id))
    throw malformed('a lineage has no id of 16 hex digits');
  if (typeof createdMs !== 'number' || !Number.isSafeInteger(createdMs) || createdMs < 0) {
    throw malformed(`lineage ${id} has no time of its creation`);
  }
  if (typeof pageSize !== 'number' || !isPageSize(pageSize))
    throw malformed(`lineage ${id} has no page size`);
  if (typeof prefix !== 'string') throw malformed(`lineage ${id} has no prefix`);
  return { id, createdMs, pageSize, prefix };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(text(bytes)) as unknown;
  } catch (cause) {
    throw malformed(messageOf(cause), cause);
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw malformed('an object is missing');
}

function malformed(why: string, cause?: unknown): Fault {
  return new Fault('corrupt', 'identity-malformed', `millrace.json of the archive cannot be read: ${why}`, {
    hint: 'put back a copy of it; `millrace ls URL` shows what the archive holds',
    cause,
  });
}
