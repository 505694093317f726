/**
 * I13 and I1: every TXID is a state that was committed, in the order in which they were; and what Millrace
 * called durable is in the TXID that it named.
 */

import { txidFormat } from '../../src/base/ids.ts';
import type { Promised } from '../keeper.ts';
import type { CommitHistory } from '../model.ts';
import type { ChainImage } from './chain.ts';

/**
 * What is wrong with the images of an archive, given what the application committed and what was promised.
 */
export function checkCommitted(
  images: readonly ChainImage[],
  history: CommitHistory,
  promised: readonly Promised[],
): readonly string[] {
  const violations: string[] = [];
  const { timeline } = history;
  /** For each TXID, the last moment at which it was the database's state. */
  const latest = new Map<bigint, number>();
  let reached = 0;
  for (const { txid, pages } of images) {
    const states = new Set(history.find(pages));
    if (states.size === 0) {
      violations.push(`I13: TXID ${txidFormat(txid)} is a state that was never committed`);
      continue;
    }
    const at = timeline.findIndex(({ index }, moment) => moment >= reached && states.has(index));
    if (at === -1)
      violations.push(`I13: TXID ${txidFormat(txid)} goes back to state ${[...states].join('/')}`);
    else reached = at;
    latest.set(
      txid,
      timeline.findLastIndex(({ index }) => states.has(index)),
    );
  }
  for (const { txid, moment, by } of promised) {
    const held = latest.get(txid);
    if (held === undefined)
      violations.push(`I1: TXID ${txidFormat(txid)} was called durable and is not in the archive`);
    else if (held < moment)
      violations.push(`I1: TXID ${txidFormat(txid)} holds moment ${held}, promised (${by}) was ${moment}`);
  }
  return violations;
}
