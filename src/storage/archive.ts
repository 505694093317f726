/**
 * Archive: the LTX files of one database in a store, by level and TXID.
 *
 * Knows keys, levels and the identity, and that a name, a header and a size must agree; knows nothing of
 * what the pages mean. Every L0 is one conditional PUT: the key is a function of the TXID, so the log is
 * the lock.
 */

import { assert } from '../base/assert.ts';
import { Fault, isFault } from '../base/fault.ts';
import { txidFormat } from '../base/ids.ts';
import type { Txid } from '../base/ids.ts';
import { LTX_HEADER_BYTES, ltxHeaderDecode } from '../format/ltx-header.ts';
import type { LtxHeader, LtxHeaderRead } from '../format/ltx-header.ts';
import { IDENTITY_KEY, LEVELS, keyBefore, levelPrefix, ltxFileOf, ltxKey } from './archive-keys.ts';
import type { LtxFile } from './archive-keys.ts';
import { identityDecode, identityEncode } from './archive-identity.ts';
import type { ArchiveIdentity } from './archive-identity.ts';
import { abortCheck, bodyOf, objectTruncated } from './object-store.ts';
import type { ByteRange, ObjectStore, PutBody, PutCondition, PutOutcome } from './object-store.ts';

export type { ArchiveIdentity } from './archive-identity.ts';
export type { LtxFile } from './archive-keys.ts';

/** How to put a file of an archive. */
export interface ArchivePutOptions {
  readonly condition: PutCondition;
  readonly signal?: AbortSignal | undefined;
}

/** The LTX files of one database in `store`. */
export class Archive {
  readonly store: ObjectStore;

  constructor(store: ObjectStore) {
    this.store = store;
  }

  /** The archive's place, for people. */
  get url(): string {
    return this.store.url;
  }

  /** The files of a level whose `minTxid` is `from` or more, by (minTxid, maxTxid). */
  async list(level: number, from?: Txid): Promise<readonly LtxFile[]> {
    const { layout } = this.store.capabilities;
    const startAfter = from === undefined ? undefined : keyBefore(layout, level, from);
    const infos = await this.store.list(levelPrefix(layout, level), startAfter);
    const files: LtxFile[] = [];
    for (const info of infos) {
      const file = ltxFileOf(layout, level, info);
      if (file !== null) files.push(file);
    }
    return files;
  }

  /** The files of all levels, level by level. */
  async listAll(): Promise<readonly LtxFile[]> {
    const levels = Array.from({ length: LEVELS.snapshots + 1 }, (_, level) => this.list(level));
    return (await Promise.all(levels)).flat();
  }

  /** The newest L0; `null`: there is none. */
  async head(): Promise<LtxFile | null> {
    return (await this.list(LEVELS.uploads)).at(-1) ?? null;
  }

  /** The file of exactly these TXIDs, without listing; `null`: there is none. */
  async find(level: number, minTxid: Txid, maxTxid: Txid = minTxid): Promise<LtxFile | null> {
    const { layout } = this.store.capabilities;
    const info = await this.store.head(ltxKey(layout, level, minTxid, maxTxid));
    if (info === null) return null;
    return { level, minTxid, maxTxid, key: info.key, size: info.size, modifiedMs: info.modifiedMs };
  }

  /** Puts the file that `header` heads under its key. An L0 is put conditionally: the log is the lock. */
  async put(
    level: number,
    header: LtxHeader,
    body: PutBody,
    options: ArchivePutOptions,
  ): Promise<PutOutcome> {
    const { minTxid, maxTxid, timestampMs } = header;
    const { condition, signal } = options;
    if (level === LEVELS.uploads) {
      assert(minTxid === maxTxid, 'W1: an L0 holds exactly one TXID');
      assert(condition !== undefined && 'ifNoneMatch' in condition, 'every L0 is put conditionally');
    }
    assert(level !== LEVELS.snapshots || minTxid === 1n, 'W2: a file at level 9 is a snapshot');
    assert(body.size > LTX_HEADER_BYTES, 'an LTX file is longer than its header');
    const key = ltxKey(this.store.capabilities.layout, level, minTxid, maxTxid);
    return await this.store.put(key, body, { condition, modifiedMs: timestampMs, signal });
  }

  /**
   * Reads the header of a file, which must say what the name says. Faults: as `read`, `ltx-header`,
   * `object-misnamed`.
   */
  async readHeader(file: LtxFile, signal?: AbortSignal): Promise<LtxHeaderRead> {
    const header = headerOf(file, await this.read(file, { offset: 0, length: LTX_HEADER_BYTES }, signal));
    if (header.minTxid === file.minTxid && header.maxTxid === file.maxTxid) return header;
    const found = `${txidFormat(header.minTxid)}-${txidFormat(header.maxTxid)}`;
    throw new Fault(
      'corrupt',
      'object-misnamed',
      `${file.key} holds the TXIDs ${found}, not those of its name`,
      {
        hint: 'somebody renamed or overwrote it; compare with a copy of the archive',
        details: { key: file.key },
      },
    );
  }

  /**
   * Reads a file, or a part of it. Faults: `object-vanished`, `object-changed` (unavailable: list again, it
   * was compacted away or written anew), `object-truncated` (corrupt: empty, or shorter than listed),
   * `body-short` (unavailable).
   */
  async read(file: LtxFile, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array> {
    abortCheck(signal, `reading ${file.key}`);
    const wanted = range ?? { offset: 0, length: file.size };
    if (wanted.length === 0)
      throw objectTruncated(file.key, file.size, { offset: 0, length: LTX_HEADER_BYTES });
    const object = await this.store.get(file.key, range, signal);
    if (object === null) {
      throw new Fault('unavailable', 'object-vanished', `${file.key} was listed and is gone`, {
        hint: 'retention or a compaction removed it meanwhile; list the archive again',
        details: { key: file.key },
      });
    }
    if (object.size < file.size)
      throw objectTruncated(file.key, object.size, { offset: 0, length: file.size });
    if (object.size > file.size) {
      const sizes = `${object.size} bytes, not ${file.size}`;
      throw new Fault('unavailable', 'object-changed', `${file.key} has ${sizes} as listed`, {
        hint: 'somebody wrote it anew meanwhile; list the archive again',
        details: { key: file.key },
      });
    }
    if (object.bytes.length === wanted.length) return object.bytes;
    const sizes = `${object.bytes.length} of ${wanted.length} bytes`;
    throw new Fault('unavailable', 'body-short', `reading ${file.key} ended after ${sizes}`);
  }

  /** What the archive says of itself; `null`: nothing, as archives that only Litestream wrote. */
  async identity(): Promise<ArchiveIdentity | null> {
    const object = await this.store.get(IDENTITY_KEY);
    return object === null ? null : identityDecode(object.bytes);
  }

  /** Writes the identity of an archive that has none. 'exists': somebody did already. */
  async createIdentity(identity: ArchiveIdentity, signal?: AbortSignal): Promise<'created' | 'exists'> {
    const condition: PutCondition = { ifNoneMatch: '*' };
    const { outcome } = await this.store.put(IDENTITY_KEY, bodyOf(identityEncode(identity)), {
      condition,
      signal,
    });
    return outcome === 'stored' ? 'created' : 'exists';
  }
}

function headerOf(file: LtxFile, bytes: Uint8Array): LtxHeaderRead {
  try {
    return ltxHeaderDecode(bytes);
  } catch (cause) {
    if (!isFault(cause)) throw cause;
    const details = { ...cause.details, key: file.key };
    throw new Fault(cause.kind, cause.code, `${file.key}: ${cause.message}`, { cause, details });
  }
}
