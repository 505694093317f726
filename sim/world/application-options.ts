/** How a simulated application uses SQLite. */

import type { WriteOptions } from './sqlite-writer.ts';

export interface ApplicationOptions {
  readonly pageSize?: number;
  /** The size in pages that the database begins with. */
  readonly sizePages?: number;
  /** `PRAGMA synchronous`; SQLite's default is `full`. */
  readonly synchronous?: WriteOptions['synchronous'];
  /**
   * `PRAGMA wal_autocheckpoint`: after a commit, a passive checkpoint if the log has this many frames. 0:
   * never.
   */
  readonly autocheckpoint?: number;
  /** Not 0: no powersafe overwrite; commits are padded to this many bytes. */
  readonly sectorBytes?: number;
  /** Tells the virtual time, for the history. */
  readonly nowMs?: () => number;
}

/** SQLite's defaults, on a small database; without autocheckpoints, so that tests say when. */
export const APPLICATION_DEFAULTS: Required<ApplicationOptions> = {
  pageSize: 512,
  sizePages: 4,
  synchronous: 'full',
  autocheckpoint: 0,
  sectorBytes: 0,
  nowMs: () => 0,
};
