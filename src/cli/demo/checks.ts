/** The demo's verdicts: what must hold of a restored database, and whether it does. */

import { DatabaseSync } from 'node:sqlite';
import { countFigure, plural } from '../figures.ts';
import type { Acknowledgement } from './acknowledgements.ts';
import { ledgerRead } from './ledger.ts';

export interface Check {
  readonly name: string;
  readonly holds: boolean;
  readonly detail: string;
}

/** What the restored database has to be. */
export interface Expectation {
  readonly acknowledged: readonly Acknowledgement[];
  /** So many commits were reported durable, and must be there. */
  readonly commitsMin: number;
  /** No commit after this one had begun. */
  readonly commitsMax: number;
}

/** Examines the restored database at `path`. */
export function checksOf(path: string, expected: Expectation): { commits: number; checks: readonly Check[] } {
  const db = new DatabaseSync(path);
  try {
    const integrity = db.prepare('PRAGMA integrity_check').all();
    const isWhole = integrity.length === 1 && integrity[0]?.['integrity_check'] === 'ok';
    const { ledger, faults } = ledgerRead(db);
    const { commits } = ledger;
    const acknowledged = expected.acknowledged[commits - 1];
    const isSame = acknowledged === undefined || acknowledged.hash === ledger.hash;
    const rows = plural(ledger.entries, 'row');
    const missing = Math.max(0, expected.commitsMin - commits);
    return {
      commits,
      checks: [
        {
          name: 'every commit that was reported durable is there',
          holds: missing === 0,
          detail: `${countFigure(expected.commitsMin)} reported durable, ${countFigure(commits)} restored`,
        },
        {
          name: 'nothing is there that had not happened yet',
          holds: commits <= expected.commitsMax,
          detail: `at most ${countFigure(expected.commitsMax)} had begun`,
        },
        {
          name: 'it is exactly the state after one commit',
          holds: faults.length === 0 && isSame,
          detail:
            faults.join('; ') ||
            (isSame
              ? `the hash chain of ${rows} ends as commit ${countFigure(commits)} did`
              : `commit ${countFigure(commits)} was acknowledged with another hash`),
        },
        {
          name: 'PRAGMA integrity_check says ok',
          holds: isWhole,
          detail: JSON.stringify(integrity.slice(0, 3).map((row) => row['integrity_check'])),
        },
      ],
    };
  } finally {
    db.close();
  }
}
