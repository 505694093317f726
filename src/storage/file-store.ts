/**
 * An ObjectStore of plain files below one directory: `<root>/<key>` (docs/decisions/0004-file-store.md).
 *
 *     create .millrace-….tmp beside → write → touch → fsync → link (or rename) → remove the first name
 *         → fsync the directory → report
 *
 * Killed or without power at any point, a key names a whole object or none, and what was reported stored is
 * there. What is *seen* may not be durable yet, since its writer may have died before the last step:
 * therefore 'exists', `list`, `head` and whole `get`s make the directory durable before they answer. Only
 * writers sweep; readers change nothing.
 */

import { assert } from '../base/assert.ts';
import { hex } from '../base/bytes.ts';
import { Fault, isFault } from '../base/fault.ts';
import type { Closer, FileStat, Machine } from '../base/ports.ts';
import { Slices } from '../base/task.ts';
import { FileNames } from './file-names.ts';
import { abortCheck, conditionCheck, keyCheck, objectTruncated, rangeCheck } from './object-store.ts';
import type {
  ByteRange,
  ObjectInfo,
  ObjectStore,
  PutBody,
  PutOptions,
  PutOutcome,
  StoreCapabilities,
  StoredObject,
} from './object-store.ts';

export const LIMITS = {
  sliceBytes: 1_048_576,
  lockAttemptsMax: 200,
  lockWaitMs: 10,
  readAttemptsMax: 10,
} as const;

type Ports = Pick<Machine, 'files' | 'clock' | 'chance'>;

/** An ObjectStore of plain files below `root`, which the first put makes. */
export class FileStore implements ObjectStore {
  readonly url: string;
  readonly capabilities: StoreCapabilities = {
    conditionalCreate: true,
    compareAndSwap: true,
    layout: 'levels-decimal',
    modifiedTime: 'kept',
  };
  readonly #ports: Ports;
  readonly #names: FileNames;

  constructor(ports: Ports, root: string) {
    this.#ports = ports;
    this.#names = new FileNames(ports, root);
    this.url = this.#names.url;
  }

  async put(key: string, body: PutBody, options: PutOptions = {}): Promise<PutOutcome> {
    keyCheck(key);
    const { condition, signal } = options;
    conditionCheck(this, condition);
    abortCheck(signal, `writing ${key}`);
    const modifiedMs = options.modifiedMs ?? this.#ports.clock.wallMs();
    assert(Number.isFinite(modifiedMs), 'put: the time of a change is a number');
    const write = (notBeforeMs: number): Promise<string> =>
      this.#writeBeside(key, body, { modifiedMs: Math.max(modifiedMs, notBeforeMs), signal });
    if (condition !== undefined && 'ifMatch' in condition)
      return await this.#swap(key, condition.ifMatch, write);
    if (condition === undefined) return await this.#publish(key, await write(0), 'replace');
    // Only a short cut for who comes late; `link` decides.
    const path = this.#names.pathOf(key);
    if (this.#names.objectStat(path) === null) return await this.#publish(key, await write(0), 'create');
    await this.#names.makeDurable(path);
    return { outcome: 'exists' };
  }

  async get(key: string, range?: ByteRange, signal?: AbortSignal): Promise<StoredObject | null> {
    keyCheck(key);
    if (range !== undefined) rangeCheck(range);
    abortCheck(signal, `reading ${key}`);
    const path = this.#names.pathOf(key);
    for (let attempt = 1; attempt <= LIMITS.readAttemptsMax; attempt++) {
      const before = this.#names.objectStat(path);
      if (before === null) return null;
      const object = await this.#read(key, before, range);
      if (object === null) continue;
      if (range === undefined) await this.#names.makeDurable(path);
      return object;
    }
    throw new Fault(
      'unavailable',
      'object-changing',
      `${key} was replaced again and again while it was read`,
    );
  }

  async head(key: string): Promise<(ObjectInfo & { readonly etag: string }) | null> {
    keyCheck(key);
    const path = this.#names.pathOf(key);
    const stat = this.#names.objectStat(path);
    if (stat === null) return null;
    await this.#names.makeDurable(path);
    return { key, size: stat.size, modifiedMs: Math.floor(stat.mtimeMs), etag: etagOf(stat) };
  }

  async list(prefix: string, startAfter = ''): Promise<readonly ObjectInfo[]> {
    return await this.#names.list(prefix, startAfter);
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) keyCheck(key);
    const slices = new Slices(this.#ports.clock);
    const dirs = new Set<string>();
    for (const key of keys) {
      const path = this.#names.pathOf(key);
      if (this.#names.objectStat(path) !== null && this.#ports.files.remove(path))
        dirs.add(this.#names.dirOf(path));
      await slices.breathe();
    }
    for (const dir of dirs) await this.#ports.files.fsyncDir(dir);
  }

  async close(): Promise<void> {}

  /** Writes a durable file without a key of its own, beside where `key` will be. Returns its path. */
  async #writeBeside(
    key: string,
    body: PutBody,
    options: { readonly modifiedMs: number; readonly signal: AbortSignal | undefined },
  ): Promise<string> {
    const { files, clock, chance } = this.#ports;
    const { fd, temp } = await this.#names.createBeside(this.#names.pathOf(key), hex(chance.bytes(8)));
    try {
      const slices = new Slices(clock);
      let at = 0;
      for (const chunk of body.chunks) {
        for (let from = 0; from < chunk.length; from += LIMITS.sliceBytes) {
          const slice = chunk.subarray(from, from + LIMITS.sliceBytes);
          files.write(fd, slice, at);
          at += slice.length;
          await slices.breathe();
        }
      }
      assert(at === body.size, 'put: the body has the size that it names');
      files.touch(temp, options.modifiedMs);
      await files.fsync(fd);
      abortCheck(options.signal, `writing ${key}`);
      return temp;
    } catch (error) {
      this.#names.discard(temp);
      throw error;
    } finally {
      files.close(fd);
    }
  }

  /** Gives a durable file its key. From here on there is no way back: an abort does not count. */
  async #publish(key: string, temp: string, how: 'create' | 'replace'): Promise<PutOutcome> {
    const { files } = this.#ports;
    const path = this.#names.pathOf(key);
    const stat = files.stat(temp);
    if (stat === null) throw vanished(temp);
    let isStored = true;
    try {
      if (how === 'replace') files.rename(temp, path);
      else isStored = files.link(temp, path);
    } catch (error) {
      this.#names.discard(temp);
      throw how === 'create' ? linkFault(error, this.url) : error;
    }
    if (how === 'create') files.remove(temp);
    // Also for 'exists': whoever wrote that object may have died before this step.
    await files.fsyncDir(this.#names.dirOf(path));
    return isStored ? { outcome: 'stored', etag: etagOf(stat) } : { outcome: 'exists' };
  }

  /**
   * Compare and swap, alone in the store by a lock that dies with its process. The time of change grows
   * with every swap, so that an inode used again does not bring an ETag back.
   */
  async #swap(
    key: string,
    etag: string,
    write: (notBeforeMs: number) => Promise<string>,
  ): Promise<PutOutcome> {
    const path = this.#names.pathOf(key);
    if (this.#names.objectStat(path) === null) return { outcome: 'mismatch' };
    const lock = await this.#lock();
    try {
      const stat = this.#names.objectStat(path);
      if (stat === null || etagOf(stat) !== etag) return { outcome: 'mismatch' };
      return await this.#publish(key, await write(Math.floor(stat.mtimeMs) + 1), 'replace');
    } finally {
      lock.close();
    }
  }

  async #lock(): Promise<Closer> {
    const { files, clock } = this.#ports;
    for (let attempt = 1; attempt <= LIMITS.lockAttemptsMax; attempt++) {
      const lock = files.lock(this.#names.lockPath);
      if (lock !== null) return lock;
      await clock.sleep(LIMITS.lockWaitMs);
    }
    const waitedMs = LIMITS.lockAttemptsMax * LIMITS.lockWaitMs;
    throw new Fault(
      'unavailable',
      'store-locked',
      `${this.#names.lockPath} was held by others for ${waitedMs} ms`,
    );
  }

  /** Reads what `before` describes; `null`: the path has meant something else since. */
  async #read(key: string, before: FileStat, range: ByteRange | undefined): Promise<StoredObject | null> {
    const { files, clock } = this.#ports;
    const { offset, length } = range ?? { offset: 0, length: before.size };
    if (offset + length > before.size) throw objectTruncated(key, before.size, { offset, length });
    const path = this.#names.pathOf(key);
    const fd = this.#names.openObject(path);
    if (fd === null) return null;
    try {
      const after = this.#names.objectStat(path);
      if (after === null || etagOf(after) !== etagOf(before)) return null;
      const bytes = new Uint8Array(length);
      const slices = new Slices(clock);
      for (let at = 0; at < length; at += LIMITS.sliceBytes) {
        const slice = bytes.subarray(at, at + LIMITS.sliceBytes);
        const count = files.read(fd, slice, offset + at);
        if (count < slice.length) throw objectTruncated(key, offset + at + count, { offset, length });
        await slices.breathe();
      }
      return { bytes, size: before.size, etag: etagOf(before) };
    } finally {
      files.close(fd);
    }
  }
}

/** Every put makes a file of its own, so that inode, time of change and size tell objects apart. */
function etagOf(stat: FileStat): string {
  return `"${stat.ino.toString(16)}-${stat.size.toString(16)}-${stat.mtimeMs}"`;
}

function vanished(path: string): Fault {
  return new Fault('unavailable', 'file-vanished', `${path} was removed while it was written`, {
    hint: 'something else cleans up in the archive, or the clock jumped by more than an hour',
  });
}

/**
 * Hard links are what makes create-if-absent atomic; some file systems have none, and say "not permitted".
 */
function linkFault(error: unknown, url: string): unknown {
  if (!isFault(error) || !NO_LINKS.has(String(error.details['system']))) return error;
  return new Fault('invalid', 'store-links', `the file system of ${url} has no hard links`, {
    hint: 'put the archive on a file system that has them (ext4, xfs, btrfs, zfs, APFS, NTFS, NFS)',
    cause: error,
  });
}

const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);
