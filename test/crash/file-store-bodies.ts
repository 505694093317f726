/** The objects of the file store's crash test: every key and every author has content of its own. */

import { Buffer } from 'node:buffer';

import type { PutBody } from '../../src/storage/object-store.ts';

/** The phases of a put at which a child can be killed, in their order. */
export const PHASES: readonly string[] = [
  'created',
  'written',
  'touched',
  'fsyncing',
  'fsynced',
  'linked',
  'removed',
  'fsyncing-directory',
  'stored',
];

export function keyFor(n: number): string {
  return `ltx/${Math.floor(n / 8) % 3}/${String(n).padStart(6, '0')}`;
}

/** 1 … 200,000 bytes that say who wrote them, in chunks. */
export function bodyFor(author: string, n: number): PutBody {
  const size = 1 + ((n * 7_919 + author.length * 104_729) % 200_000);
  const bytes = Buffer.alloc(size, `${author}:${n};`);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < size; at += 65_536) chunks.push(bytes.subarray(at, at + 65_536));
  return { size, chunks };
}
