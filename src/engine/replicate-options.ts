/** What a replicator is told, and what it tells. */

import type { Durable } from './chain.ts';

/** What a replicator tells of itself. */
export type ReplicateEvent =
  | ({ readonly event: 'durable' } & Durable)
  | { readonly event: 'started'; readonly lineage: string; readonly epoch: bigint; readonly decision: string }
  | { readonly event: 'waiting'; readonly reason: string }
  | { readonly event: 'gap'; readonly reason: string }
  | { readonly event: 'trouble'; readonly code: string; readonly message: string };

export interface ReplicateOptions {
  /** At most this long between a commit and its seal, in ms; 0: as soon as the upload before is confirmed. */
  readonly uploadIntervalMs?: number | undefined;
  /** What to do with an archive whose head this database is not: `continue` makes it the next state. */
  readonly adopt?: 'refuse' | 'continue' | undefined;
  /** How long the last uploads may take after the end was asked for; 30 s unless given. */
  readonly drainMs?: number | undefined;
  readonly onEvent?: ((event: ReplicateEvent) => void) | undefined;
  readonly sealBytesMax?: number | undefined;
  readonly imageBytesMax?: number | undefined;
}

/** Where a replicator stands. */
export interface ReplicateStatus {
  readonly database: string;
  readonly url: string;
  readonly state: 'waiting' | 'following' | 'difference';
  readonly lineage: string | null;
  readonly durable: Durable | null;
  /** Commits captured and not yet sealed. */
  readonly openCommits: number;
}
