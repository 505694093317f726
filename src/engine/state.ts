/**
 * The local state of a replicated database, in `.<database>-millrace/` beside it.
 *
 *   lock           held by the one keeper of the database, for as long as its process lives
 *   identity.json  which lineage this is, as which epoch, of which file, to which archive
 *   pages          the page map: a full record, then a delta for every seal
 *
 * A seal's record is written before its PUT is sent. It is not fsynced: after a power loss the archive itself
 * tells what was sealed, by epoch and checksum. A torn end of `pages` is cut off; a torn beginning makes the
 * state unusable.
 */

import { assert } from '../base/assert.ts';
import { text, utf8 } from '../base/bytes.ts';
import { Fault } from '../base/fault.ts';
import { dirOf, fileRead, fileReplace } from '../base/file-replace.ts';
import { epoch } from '../base/ids.ts';
import type { Epoch } from '../base/ids.ts';
import type { Closer, Fd, Files } from '../base/ports.ts';
import { stateRecordDecode, stateRecordEncode } from './state-record.ts';
import type { StateRecord } from './state-record.ts';

export const LIMITS = { deltaBytesMin: 1_048_576, epochsMax: 100 } as const;

const FORMAT = 1;

/** What a database's local state belongs to. */
export interface StateIdentity {
  readonly lineage: string;
  /** The epochs of this database's writers, newest first: an object of any of them is our own. */
  readonly epochs: readonly Epoch[];
  /** The archive's URL. */
  readonly url: string;
  /**
   * The main file's inode, as decimal text. Not its device: that may have another number after a restart of
   * the machine or its container, and the state lies beside the file, on the same one.
   */
  readonly ino: string;
}

/** The directory that holds the state of `database`. */
export function stateDir(database: string): string {
  const dir = dirOf(database);
  return `${dir === '/' ? '' : dir}/.${database.slice(database.lastIndexOf('/') + 1)}-millrace`;
}

/** The identity that a state directory names, or `null` where there is none. Fault `state-unreadable`. */
export function stateIdentity(files: Files, database: string): StateIdentity | null {
  const path = `${stateDir(database)}/identity.json`;
  const bytes = fileRead(files, path);
  if (bytes === null) return null;
  try {
    const json: unknown = JSON.parse(text(bytes));
    if (isIdentity(json)) {
      const { lineage, url, ino } = json;
      return { lineage, epochs: json.epochs.map(epoch), url, ino };
    }
  } catch {
    // Falls through: whatever is wrong with the file, the answer is the same.
  }
  throw new Fault('corrupt', 'state-unreadable', `${path} is not a state that this Millrace can read`, {
    hint: `a later Millrace may have written it; if not, remove ${stateDir(database)} and start again`,
  });
}

type IdentityJson = Omit<StateIdentity, 'epochs'> & { readonly epochs: readonly number[] };

function isIdentity(json: unknown): json is IdentityJson {
  if (typeof json !== 'object' || json === null) return false;
  const { format, epochs, lineage, url, ino }: Record<string, unknown> = { ...json };
  if (format !== FORMAT || !Array.isArray(epochs) || !epochs.every(Number.isSafeInteger)) return false;
  return [lineage, url, ino].every((field) => typeof field === 'string');
}

export class LocalState {
  readonly #files: Files;
  readonly #dir: string;
  readonly #lock: Closer;
  #identity: StateIdentity | null;
  #records: readonly StateRecord[];
  #fd: Fd | null = null;
  /** Bytes of sound records in `pages`, and of the full record among them. */
  #bytes = 0;
  #fullBytes = 0;

  private constructor(files: Files, dir: string, lock: Closer, identity: StateIdentity | null) {
    this.#files = files;
    this.#dir = dir;
    this.#lock = lock;
    this.#identity = identity;
    this.#records = [];
  }

  /**
   * Opens (or makes) the state and becomes the database's keeper. Faults: `already-replicated`,
   * `state-unreadable`.
   */
  static async open(files: Files, database: string): Promise<LocalState> {
    const dir = stateDir(database);
    await files.mkdir(dir);
    const lock = files.lock(`${dir}/lock`);
    if (lock === null) {
      throw new Fault('conflict', 'already-replicated', `another Millrace process replicates ${database}`, {
        hint: `stop it first; \`millrace status ${database}\` shows what it does`,
      });
    }
    try {
      const state = new LocalState(files, dir, lock, stateIdentity(files, database));
      state.#load();
      return state;
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  get identity(): StateIdentity | null {
    return this.#identity;
  }

  /** The records as the start found them: a full one and its deltas, or none. */
  get records(): readonly StateRecord[] {
    return this.#records;
  }

  /** Makes `identity` the state's own, durably. */
  async identify(identity: StateIdentity): Promise<void> {
    const epochs = identity.epochs.slice(0, LIMITS.epochsMax).map(Number);
    const json = { format: FORMAT, ...identity, epochs };
    await fileReplace(this.#files, `${this.#dir}/identity.json`, [
      utf8(`${JSON.stringify(json, null, 2)}\n`),
    ]);
    this.#identity = identity;
  }

  /** Appends the record of a seal. */
  append(record: StateRecord): void {
    assert(record.kind === 'delta' && !this.isEmpty, 'a delta follows a full record');
    const bytes = stateRecordEncode(record);
    this.#files.write(this.#open(), bytes, this.#bytes);
    this.#bytes += bytes.length;
  }

  /** Whether there is no full record yet: the first seal writes it. */
  get isEmpty(): boolean {
    return this.#fullBytes === 0;
  }

  /** Whether the deltas have outgrown the map: then `rewrite` it, once the newest of them is durable. */
  get isOvergrown(): boolean {
    return this.#bytes - this.#fullBytes > Math.max(LIMITS.deltaBytesMin, this.#fullBytes);
  }

  /** Replaces all records by a full one. */
  async rewrite(record: StateRecord): Promise<void> {
    assert(record.kind === 'full', 'a state begins with a full record');
    const bytes = stateRecordEncode(record);
    this.#shut();
    await fileReplace(this.#files, `${this.#dir}/pages`, [bytes]);
    this.#bytes = bytes.length;
    this.#fullBytes = bytes.length;
    this.#records = [];
  }

  /** Lets go of what was found: it belongs to another file, or contradicts the archive. */
  setAside(): void {
    this.#shut();
    for (const name of ['pages', 'identity.json']) {
      const path = `${this.#dir}/${name}`;
      if (this.#files.stat(path) !== null) this.#files.rename(path, `${path}.aside`);
    }
    this.#identity = null;
    this.#records = [];
    this.#bytes = 0;
    this.#fullBytes = 0;
  }

  close(): void {
    this.#shut();
    this.#lock.close();
  }

  #load(): void {
    const bytes = fileRead(this.#files, `${this.#dir}/pages`) ?? new Uint8Array(0);
    const records: StateRecord[] = [];
    for (let at = 0; ;) {
      const next = stateRecordDecode(bytes.subarray(at));
      if (next === null) break;
      if ((next.record.kind === 'full') !== (at === 0)) break;
      records.push(next.record);
      at += next.bytes;
      this.#bytes = at;
      if (next.record.kind === 'full') this.#fullBytes = at;
    }
    this.#records = records;
  }

  #open(): Fd {
    this.#fd ??= this.#files.open(`${this.#dir}/pages`, 'write');
    return this.#fd;
  }

  #shut(): void {
    if (this.#fd !== null) this.#files.close(this.#fd);
    this.#fd = null;
  }
}
