/** What a simulated application does: random transactions, with all the odd ones that SQLite allows. */

import type { SimChance } from './world/chance.ts';
import type { Changes, SqliteApplication } from './world/database.ts';

export const LIMITS = { pagesMax: 40, writesMax: 6, growMax: 8 } as const;

/** A random transaction on the state that the application sees. */
export function randomChanges(app: SqliteApplication, chance: SimChance): Changes {
  const size = app.state.pages.length;
  const pages = distinct(chance, chance.between(1, LIMITS.writesMax), size);
  const dice = chance.below(12);
  if (dice === 0 && size < LIMITS.pagesMax) return { pages, size: size + chance.between(1, LIMITS.growMax) };
  if (dice === 1 && size > 2) return { pages: [1], size: chance.between(2, size) };
  if (dice === 2) return { pages, spill: [distinct(chance, 3, size), distinct(chance, 4, size + 3)] };
  if (dice === 3 && size > 4) {
    return { pages: [1, 2], size: chance.between(2, size - 1), spill: [distinct(chance, 4, size + 2)] };
  }
  if (dice === 4 && size < LIMITS.pagesMax) return { pages, size: size + 3, unwritten: [size + 2] };
  if (dice === 5) return { pages: [] };
  if (dice === 6) return samePage(app, chance);
  if (dice === 7 && size < LIMITS.pagesMax) return { pages: [...pages, size + 1] };
  return { pages };
}

/** Writes a page with the bytes it has: a commit that changes nothing, and looks like padding. */
function samePage(app: SqliteApplication, chance: SimChance): Changes {
  const pgno = chance.between(2, Math.max(2, app.state.pages.length));
  const bytes = app.state.pages[pgno - 1] ?? chance.bytes(app.pageSize);
  return { pages: new Map([[pgno, bytes]]) };
}

function distinct(chance: SimChance, count: number, bound: number): readonly number[] {
  const numbers = new Set<number>();
  for (let i = 0; i < count; i++) numbers.add(chance.between(1, bound));
  return [...numbers];
}
