/**
 * Golden files: annotated bytes in `test/golden`, each of which says which program made it, in which version,
 * by which command.
 *
 *     # comment
 *     0010: 00 00 00 00 00 00 00 01                         | minTxid
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const LINE = /^([0-9a-f]{4}): ([0-9a-f]{2}(?: [0-9a-f]{2})*) *(?:\| (.+))?$/;

/** A golden file: its bytes, and where each annotation stands. */
export interface Golden {
  readonly bytes: Uint8Array;
  /** Annotation → offset; the first, where one is repeated. */
  readonly offsets: ReadonlyMap<string, number>;
}

/** Reads a golden file. Throws an Error unless it names its maker and every line of it is understood. */
export function goldenRead(name: string): Golden {
  const lines = readFileSync(join(import.meta.dirname, '..', 'golden', name), 'utf8').split('\n');
  for (const word of ['# Program: ', '# Command: ']) {
    if (!lines.some((line) => line.startsWith(word))) throw new Error(`${name} has no line "${word}…"`);
  }
  const bytes: number[] = [];
  const offsets = new Map<string, number>();
  for (const line of lines.filter((text) => text !== '' && !text.startsWith('#'))) {
    const [, offset = '', digits = '', label] = LINE.exec(line) ?? [];
    if (Number.parseInt(offset, 16) !== bytes.length) throw new Error(`${name}: "${line}" is out of place`);
    if (label !== undefined && !offsets.has(label)) offsets.set(label, bytes.length);
    bytes.push(...digits.split(' ').map((pair) => Number.parseInt(pair, 16)));
  }
  return { bytes: Uint8Array.from(bytes), offsets };
}
