/**
 * docs/reference/formats.md: its tables fill what they describe without a hole, and agree with the golden
 * files.
 */

import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { goldenRead } from '../support/golden.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'reference', 'formats.md'), 'utf8');

/** The tables of fields in one section: offset and size of each row with both. */
function fieldsOf(heading: string): readonly { readonly offset: number; readonly bytes: number }[] {
  const [, behind] = page.split(`${heading}\n`);
  ok(behind, `there is a section "${heading}"`);
  const section = behind.split(/^##/m)[0] ?? '';
  const rows = [...section.matchAll(/^\| (−?\d+) \| (\d+) \|/gm)];
  return rows.map(([, offset = '', bytes]) => ({
    offset: Number(offset.replace('−', '-')),
    bytes: Number(bytes),
  }));
}

const SECTIONS = [
  { heading: '### Header, 100 bytes', start: 0, end: 100 },
  { heading: '### Page frames', start: 0, end: 10 },
  { heading: '### Page index and trailer', start: -24, end: 0 },
  { heading: '## Local state', start: 0, end: 68 },
] as const;

for (const { heading, start, end } of SECTIONS) {
  test(`the table of "${heading}" has neither holes nor overlaps`, () => {
    let at: number = start;
    for (const { offset, bytes } of fieldsOf(heading)) {
      strictEqual(offset, at);
      at += bytes;
    }
    strictEqual(at, end);
  });
}

test('the header of the golden file has its fields where the page says', () => {
  const { offsets } = goldenRead('ltx-millrace-1.txt');
  const annotated = [...offsets.values()].filter((offset) => offset < 100);
  deepStrictEqual(
    fieldsOf('### Header, 100 bytes').map(({ offset }) => offset),
    annotated,
  );
});
