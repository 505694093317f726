/**
 * The names of a FileStore: keys ↔ paths, directories made when they are needed, files on their way, and
 * listings.
 *
 * Names that begin with a dot are no keys: the store's own files have such names, and nobody's else are
 * listed.
 */

import { assert } from '../base/assert.ts';
import { Fault, isFault } from '../base/fault.ts';
import type { Fd, FileStat, Machine } from '../base/ports.ts';
import { Slices } from '../base/task.ts';
import { LIMITS as KEY_LIMITS, isKeySegment } from './object-store.ts';
import type { ObjectInfo } from './object-store.ts';

export const LIMITS = { staleMs: 3_600_000 } as const;

/**
 * `.millrace-<wall time it was made, hex>-<nonce>.tmp`: its age stands in the name, its time of change says
 * another.
 */
const TEMP = /^\.millrace-([0-9a-f]{1,13})-[0-9a-f]+\.tmp$/;

type Ports = Pick<Machine, 'files' | 'clock'>;

/** The names below one directory. */
export class FileNames {
  readonly root: string;
  readonly url: string;
  readonly #ports: Ports;
  /** Directories that exist durably, and were swept. */
  readonly #ready = new Set<string>();
  /** The root that was found or made first, by identity. */
  #rootFirst: string | null = null;

  constructor(ports: Ports, root: string) {
    assert(root !== '', 'a FileStore has a root');
    this.#ports = ports;
    this.root = root.replace(/\/+$/, '');
    this.url = root.startsWith('/') ? `file://${this.root || '/'}` : root;
  }

  /** The file of the lock that compare-and-swap takes. */
  get lockPath(): string {
    return `${this.root}/.millrace-lock`;
  }

  pathOf(key: string): string {
    return `${this.root}/${key}`;
  }

  dirOf(path: string): string {
    const end = path.lastIndexOf('/');
    return end > 0 ? path.slice(0, end) : end === 0 ? '/' : '.';
  }

  /** What the object at `path` is; `null`: there is none. */
  objectStat(path: string): FileStat | null {
    const stat = this.#ports.files.stat(path);
    return stat?.kind === 'file' ? stat : null;
  }

  /** Opens the object at `path`; `null`: it was deleted meanwhile. */
  openObject(path: string): Fd | null {
    try {
      return this.#ports.files.open(path, 'read');
    } catch (error) {
      if (isFault(error) && error.code === 'file-missing') return null;
      throw error;
    }
  }

  /** Makes the name of what is at `path` durable. */
  async makeDurable(path: string): Promise<void> {
    await this.#ports.files.fsyncDir(this.dirOf(path));
  }

  /**
   * Creates a file beside `path` under a name that is no key, making the directories where they are
   * missing. Fault `store-vanished`: the root is not the directory that it was.
   */
  async createBeside(path: string, nonce: string): Promise<{ readonly fd: Fd; readonly temp: string }> {
    const { files, clock } = this.#ports;
    this.#rootCheck();
    const dir = this.dirOf(path);
    const temp = `${dir}/.millrace-${Math.max(0, Math.floor(clock.wallMs())).toString(16)}-${nonce}.tmp`;
    for (let attempt = 1; ; attempt++) {
      const isKnown = this.#ready.has(dir);
      if (!isKnown) await this.#makeReady(dir);
      this.#rootFirst ??= this.#rootNow();
      try {
        return { fd: files.open(temp, 'create'), temp };
      } catch (error) {
        // The directory was there before: somebody removed it. Once more, from its making.
        const isGone = isFault(error) && error.code === 'file-missing' && isKnown && attempt === 1;
        if (!isGone) throw error;
        this.#ready.clear();
      }
    }
  }

  /** Removes a file that gets no key. That it stays, where even that fails, harms nobody: it is swept. */
  discard(temp: string): void {
    try {
      this.#ports.files.remove(temp);
    } catch (error) {
      if (!isFault(error)) throw error;
    }
  }

  /**
   * All objects whose keys start with `prefix` and sort after `startAfter`, by key. Directories are made
   * durable after their names were read: what is reported stays.
   */
  async list(prefix: string, startAfter: string): Promise<readonly ObjectInfo[]> {
    const { files, clock } = this.#ports;
    this.#rootFirst ??= this.#rootNow();
    const slices = new Slices(clock);
    const infos: ObjectInfo[] = [];
    const walk = async (dir: string, depth: number): Promise<void> => {
      const path = this.root + (dir === '' ? '' : `/${dir.slice(0, -1)}`);
      const before = infos.length;
      for (const name of files.list(path === '' ? '/' : path) ?? []) {
        const key = dir + name;
        const mayLead = leadsTo(`${key}/`, prefix, startAfter);
        const isWanted = key.startsWith(prefix) && key > startAfter;
        if (!isKeySegment(name) || !(mayLead || isWanted)) continue;
        await slices.breathe();
        const stat = files.stat(`${this.root}/${key}`);
        if (stat?.kind === 'directory' && mayLead && depth < KEY_LIMITS.segmentsMax)
          await walk(`${key}/`, depth + 1);
        if (stat?.kind !== 'file' || !isWanted) continue;
        infos.push({ key, size: stat.size, modifiedMs: Math.floor(stat.mtimeMs) });
      }
      if (infos.length > before) await files.fsyncDir(path === '' ? '/' : path);
    };
    await walk('', 1);
    return infos.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  /**
   * A root that is gone, or another one, is a disk that is not mounted: making it again would take uploads to
   * a place where the rest of the archive is not, and call them stored.
   */
  #rootCheck(): void {
    if (this.#rootFirst === null || this.#rootNow() === this.#rootFirst) return;
    throw new Fault('unavailable', 'store-vanished', `${this.url} is not the directory that it was`, {
      hint: 'see that its disk is mounted; writing goes on when it is back',
    });
  }

  #rootNow(): string | null {
    const stat = this.#ports.files.stat(this.root === '' ? '/' : this.root);
    return stat === null ? null : `${stat.dev} ${stat.ino}`;
  }

  /** Makes a directory, durably from its name up to the topmost, and removes what dead writers left in it. */
  async #makeReady(dir: string): Promise<void> {
    const { files } = this.#ports;
    await files.mkdir(dir);
    // Another process may have made them, and died before it made them durable.
    const rootDir = this.root === '' ? '/' : this.root;
    for (let at = dir; at !== rootDir; at = this.dirOf(at)) await files.fsyncDir(this.dirOf(at));
    if (this.#ready.size === 0) await this.#makeParentsDurable(rootDir);
    this.#sweep(dir);
    this.#ready.add(dir);
  }

  async #makeParentsDurable(rootDir: string): Promise<void> {
    for (let at = rootDir; at !== '/' && at !== '.' && at !== '..'; at = this.dirOf(at)) {
      try {
        await this.#ports.files.fsyncDir(this.dirOf(at));
      } catch (error) {
        // A parent that this user may not read: its owner made what is in it, long ago.
        if (!isFault(error, 'invalid')) throw error;
      }
    }
  }

  #sweep(dir: string): void {
    const { files, clock } = this.#ports;
    const nowMs = clock.wallMs();
    for (const name of files.list(dir) ?? []) {
      const made = TEMP.exec(name)?.[1];
      if (made !== undefined && nowMs - Number.parseInt(made, 16) > LIMITS.staleMs)
        this.discard(`${dir}/${name}`);
    }
  }
}

/** Whether keys that begin with `dir` may begin with `prefix` and sort after `startAfter`. */
function leadsTo(dir: string, prefix: string, startAfter: string): boolean {
  const isAfter = dir > startAfter || startAfter.startsWith(dir);
  return isAfter && (prefix.startsWith(dir) || dir.startsWith(prefix));
}
