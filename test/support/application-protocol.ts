/** What a test and its application process say to each other: one JSON object a line. */

/** How the application opens its database. */
export interface ApplicationOptions {
  /** In bytes; SQLite's default unless given. Only a fresh database takes it. */
  readonly pageSize?: number;
  readonly journalMode?: 'wal' | 'delete';
  readonly synchronous?: 'off' | 'normal' | 'full';
  /** In pages; 0 is never; SQLite's default (1000) unless given. */
  readonly walAutocheckpoint?: number;
  readonly lockingMode?: 'normal' | 'exclusive';
  readonly autoVacuum?: 'none' | 'full' | 'incremental';
  /** How long to wait for locks; 5 s unless given. */
  readonly busyTimeoutMs?: number;
}

/** A shape of work: rows of the chain. */
export interface Work {
  /** Bytes of padding in each row; 100 unless given. */
  readonly padBytes?: number;
  readonly rowsPerCommit?: number;
}

export type CheckpointMode = 'PASSIVE' | 'FULL' | 'RESTART' | 'TRUNCATE';

/** What `PRAGMA wal_checkpoint` answers. */
export interface CheckpointAnswer {
  readonly busy: boolean;
  readonly walFrames: number;
  readonly backfilledFrames: number;
}

export type Command =
  | { readonly op: 'exec'; readonly sql: string }
  | { readonly op: 'all'; readonly sql: string }
  | { readonly op: 'commit'; readonly commits: number; readonly work: Work }
  | { readonly op: 'checkpoint'; readonly mode: CheckpointMode }
  | { readonly op: 'start'; readonly work: Work }
  | { readonly op: 'stop' }
  | { readonly op: 'close' };

/** Every row up to `row` was acknowledged to the application by `wallMs`. */
export interface Acknowledged {
  readonly row: number;
  readonly wallMs: number;
}

export type Message =
  | { readonly says: 'answer'; readonly value: unknown }
  | { readonly says: 'error'; readonly message: string; readonly resultCode: number | null }
  | { readonly says: 'acknowledged'; readonly rows: readonly Acknowledged[] };
