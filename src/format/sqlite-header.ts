/**
 * The first 100 bytes of a SQLite database, and what follows from a page size.
 *
 * Contract: what SQLite refuses to open is refused here by name (`not-a-database`, `database-version`).
 * Trap: in WAL mode neither the change counter nor the size in the header says anything about the newest
 * commit.
 *
 * Source: "Database File Format" §1.3, sqlite.org/fileformat2.html.
 */

import { assert } from '../base/assert.ts';
import { view } from '../base/bytes.ts';
import { Fault } from '../base/fault.ts';
import { pgno } from '../base/ids.ts';
import type { Pgno } from '../base/ids.ts';

/** The bytes that `databaseHeaderDecode` needs. */
export const DATABASE_HEADER_BYTES = 100;

/** The byte that no page with content may contain: SQLite's locks live there. */
export const LOCK_BYTE = 0x4000_0000;

export const LIMITS = { pageSizeMin: 512, pageSizeMax: 65_536, usableBytesMin: 480 } as const;

const MAGIC = 'SQLite format 3\0';

const OFFSET = {
  magic: 0,
  pageSize: 16,
  writeVersion: 18,
  readVersion: 19,
  reservedBytes: 20,
  payloadFractions: 21,
  changeCounter: 24,
  sizePages: 28,
  schemaCookie: 40,
  schemaFormat: 44,
  largestRoot: 52,
  encoding: 56,
  userVersion: 60,
  applicationId: 68,
  versionValidFor: 92,
  sqliteVersion: 96,
} as const;

/** The three bytes from 21 on, which are the same in every database: 64, 32, 32. */
const PAYLOAD_FRACTIONS = [64, 32, 32] as const;

/** A database's header. Numbers are u32 unless their name says otherwise. */
export interface DatabaseHeader {
  readonly pageSize: number;
  /** What the file's format version (byte 19) asks of who opens it. */
  readonly journal: 'rollback' | 'wal';
  /** Bytes at the end of each page that belong to an extension, 0 … 32. */
  readonly reservedBytes: number;
  readonly changeCounter: number;
  /** Only to be believed if `changeCounter` equals `versionValidFor`. */
  readonly sizePages: number;
  readonly schemaCookie: number;
  /** Not 0: an auto-vacuum or incremental-vacuum database. */
  readonly largestRoot: number;
  readonly userVersion: number;
  readonly applicationId: number;
  readonly versionValidFor: number;
  /** Such as 3053004 for 3.53.4. */
  readonly sqliteVersion: number;
}

/** Whether `value` is a page size that SQLite knows: a power of two, 512 … 65536. */
export function isPageSize(value: number): boolean {
  const inRange = value >= LIMITS.pageSizeMin && value <= LIMITS.pageSizeMax;
  return Number.isInteger(value) && inRange && (value & (value - 1)) === 0;
}

/**
 * The page that holds byte 2³⁰ of the file: it never has content, and is no part of LTX files or checksums.
 */
export function lockPage(pageSize: number): Pgno {
  assert(isPageSize(pageSize), () => `not a page size: ${pageSize}`);
  return pgno(LOCK_BYTE / pageSize + 1);
}

/** Reads a database's header. Throws Fault `not-a-database` or `database-version`, as SQLite would. */
export function databaseHeaderDecode(bytes: Uint8Array): DatabaseHeader {
  if (bytes.length < DATABASE_HEADER_BYTES) {
    throw notADatabase(`it ends after ${bytes.length} of the ${DATABASE_HEADER_BYTES} bytes of a header`);
  }
  for (let i = 0; i < MAGIC.length; i++) {
    if (bytes[i] !== MAGIC.charCodeAt(i)) throw notADatabase('it does not begin with "SQLite format 3"');
  }
  const at = view(bytes);
  const stored = at.getUint16(OFFSET.pageSize);
  const pageSize = stored === 1 ? 65_536 : stored;
  if (!isPageSize(pageSize)) throw notADatabase(`its page size is ${stored}`);
  const readVersion = at.getUint8(OFFSET.readVersion);
  if (readVersion < 1 || readVersion > 2) {
    throw new Fault(
      'invalid',
      'database-version',
      `the database has read version ${readVersion}, not 1 or 2`,
      {
        hint: 'a later SQLite made this file; use a Millrace that knows its format',
      },
    );
  }
  const reservedBytes = at.getUint8(OFFSET.reservedBytes);
  if (pageSize - reservedBytes < LIMITS.usableBytesMin) {
    throw notADatabase(`${reservedBytes} bytes of each page of ${pageSize} are reserved`);
  }
  for (const [i, fraction] of PAYLOAD_FRACTIONS.entries()) {
    if (bytes[OFFSET.payloadFractions + i] !== fraction)
      throw notADatabase('its payload fractions are wrong');
  }
  return {
    pageSize,
    journal: readVersion === 2 ? 'wal' : 'rollback',
    reservedBytes,
    changeCounter: at.getUint32(OFFSET.changeCounter),
    sizePages: at.getUint32(OFFSET.sizePages),
    schemaCookie: at.getUint32(OFFSET.schemaCookie),
    largestRoot: at.getUint32(OFFSET.largestRoot),
    userVersion: at.getUint32(OFFSET.userVersion),
    applicationId: at.getUint32(OFFSET.applicationId),
    versionValidFor: at.getUint32(OFFSET.versionValidFor),
    sqliteVersion: at.getUint32(OFFSET.sqliteVersion),
  };
}

/** The 100 bytes of a header, as SQLite writes them for a UTF-8 database (schema format 4). */
export function databaseHeaderEncode(header: DatabaseHeader): Uint8Array {
  assert(isPageSize(header.pageSize), () => `not a page size: ${header.pageSize}`);
  const usableBytes = header.pageSize - header.reservedBytes;
  assert(usableBytes >= LIMITS.usableBytesMin, () => `only ${usableBytes} bytes of a page are usable`);
  const bytes = new Uint8Array(DATABASE_HEADER_BYTES);
  const at = view(bytes);
  for (let i = 0; i < MAGIC.length; i++) bytes[OFFSET.magic + i] = MAGIC.charCodeAt(i);
  const version = header.journal === 'wal' ? 2 : 1;
  at.setUint16(OFFSET.pageSize, header.pageSize === 65_536 ? 1 : header.pageSize);
  at.setUint8(OFFSET.writeVersion, version);
  at.setUint8(OFFSET.readVersion, version);
  at.setUint8(OFFSET.reservedBytes, header.reservedBytes);
  bytes.set(PAYLOAD_FRACTIONS, OFFSET.payloadFractions);
  at.setUint32(OFFSET.changeCounter, header.changeCounter);
  at.setUint32(OFFSET.sizePages, header.sizePages);
  at.setUint32(OFFSET.schemaCookie, header.schemaCookie);
  at.setUint32(OFFSET.schemaFormat, 4);
  at.setUint32(OFFSET.largestRoot, header.largestRoot);
  at.setUint32(OFFSET.encoding, 1);
  at.setUint32(OFFSET.userVersion, header.userVersion);
  at.setUint32(OFFSET.applicationId, header.applicationId);
  at.setUint32(OFFSET.versionValidFor, header.versionValidFor);
  at.setUint32(OFFSET.sqliteVersion, header.sqliteVersion);
  return bytes;
}

function notADatabase(why: string): Fault {
  return new Fault('invalid', 'not-a-database', `the file is not a SQLite database: ${why}`, {
    hint: 'check the path; an encrypted database (SQLCipher, SEE) is not supported',
  });
}
