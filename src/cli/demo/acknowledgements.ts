/**
 * What the demo's writer was told: which commit was acknowledged when, and the hash that ends the ledger
 * after it.
 */

import { readFileSync } from 'node:fs';

export interface Acknowledgement {
  readonly commits: number;
  /** Taken after COMMIT had returned, cut to whole milliseconds. */
  readonly wallMs: number;
  readonly hash: string;
}

/** All acknowledgements in order: element n is commit n + 1. A line that the kill cut off is none. */
export function acknowledgementsRead(path: string): readonly Acknowledgement[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line, index) => {
    const [commits, wallMs, hash = ''] = line.split(' ');
    if (Number(commits) !== index + 1) throw new Error(`${path}: line ${index + 1} is "${line}"`);
    return { commits: Number(commits), wallMs: Number(wallMs), hash };
  });
}

/** The number of commits acknowledged before `wallMs`. */
export function acknowledgedBefore(all: readonly Acknowledgement[], wallMs: number): number {
  const index = all.findIndex((one) => one.wallMs >= wallMs);
  return index === -1 ? all.length : index;
}
