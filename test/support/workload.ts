/**
 * Random SQL that takes a database through everything that can happen to its pages.
 *
 * What happens is dealt from a shuffled deck, which holds every kind. Chance decides how much of it, from a
 * seed; the content of blobs is SQLite's own chance.
 */

import type { SimChance } from '../../sim/world/chance.ts';
import { must } from '../../src/base/assert.ts';

export const LIMITS = { rowsMax: 12, spillRows: 60, blobPagesMax: 3, blobBytesMax: 30_000 } as const;

/** Kinds of transactions, and how many of each are in a deck. */
export const SQL_KINDS = {
  insert: 6,
  update: 5,
  delete: 2,
  'delete all': 1,
  'drop table': 1,
  index: 1,
  spill: 2,
  'spill, rolled back': 1,
  savepoint: 1,
  vacuum: 2,
  'incremental vacuum': 2,
  'free growth': 2,
  'page 1 only': 1,
  nothing: 1,
} as const;

export type SqlKind = keyof typeof SQL_KINDS;

/** A deck that holds each card as often as `counts` says, shuffled. */
export function shuffled<Card extends string>(
  chance: SimChance,
  counts: Readonly<Record<Card, number>>,
): Card[] {
  const kinds = Object.entries(counts) as [Card, number][];
  const deck = kinds.flatMap(([card, count]) => Array.from({ length: count }, () => card));
  for (let i = deck.length - 1; i > 0; i--) {
    const j = chance.below(i + 1);
    [deck[i], deck[j]] = [must(deck[j], 'a card'), must(deck[i], 'a card')];
  }
  return deck;
}

/** SQL of one kind, whole transactions only. Tables are there when it needs them. */
export function randomSql(kind: SqlKind, chance: SimChance, pageSize: number): string {
  const table = `t${chance.below(3)}`;
  const create = `CREATE TABLE IF NOT EXISTS ${table}(id INTEGER PRIMARY KEY, v BLOB, w)`;
  const blob = (): number => chance.between(1, Math.min(LIMITS.blobBytesMax, LIMITS.blobPagesMax * pageSize));
  const insert = (rows: number): string =>
    `INSERT INTO ${table}(v, w) ${numbers(rows)} SELECT randomblob(${blob()}), i FROM n`;
  const some = `id % ${chance.between(2, 6)} = 0`;
  const rows = chance.between(1, LIMITS.rowsMax);
  const spill = `PRAGMA cache_size = 8; BEGIN; ${insert(LIMITS.spillRows)}; UPDATE ${table} SET w = w + 1`;
  const growth = `${numbers(30)} SELECT randomblob(${blob()}) FROM n`;
  switch (kind) {
    case 'insert':
      return `${create}; ${insert(rows)}`;
    case 'update':
      return `${create}; UPDATE ${table} SET v = randomblob(${blob()}) WHERE ${some}`;
    case 'delete':
      return `${create}; DELETE FROM ${table} WHERE ${some}`;
    case 'delete all':
      return `${create}; DELETE FROM ${table}`;
    case 'drop table':
      return `DROP TABLE IF EXISTS ${table}`;
    case 'index':
      return `${create}; DROP INDEX IF EXISTS ${table}_v; CREATE INDEX ${table}_v ON ${table}(length(v))`;
    case 'spill':
      return `${create}; ${spill}; COMMIT`;
    case 'spill, rolled back':
      return `${create}; ${spill}; ROLLBACK`;
    case 'savepoint':
      return `${create}; BEGIN; ${insert(rows)}; SAVEPOINT s; ${insert(20)}; ROLLBACK TO s; COMMIT`;
    case 'vacuum':
      return 'VACUUM';
    case 'incremental vacuum':
      return `${create}; DELETE FROM ${table} WHERE ${some}; PRAGMA incremental_vacuum(${rows * 4})`;
    case 'free growth':
      return `BEGIN; CREATE TABLE gone AS ${growth}; DROP TABLE gone; COMMIT`;
    case 'page 1 only':
      return `PRAGMA user_version = ${chance.below(1 << 30)}`;
    case 'nothing':
      return `${create}; BEGIN IMMEDIATE; COMMIT; UPDATE ${table} SET w = w WHERE id < 0`;
  }
}

function numbers(count: number): string {
  return `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;
}
