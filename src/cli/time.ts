/**
 * Moments as people type them: RFC 3339, or so long ago.
 *
 * A time without a zone is refused: in the one hour where it matters, nobody should have to guess.
 */

import { Fault } from '../base/fault.ts';
import type { WallMs } from '../base/ids.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?\s?([Zz]|[+-]\d\d:\d\d)?$/;
const PART = /(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)/y;
const HINT =
  'write it as 2026-01-31T14:05:00Z, 2026-01-31T15:05:00+01:00, "5m ago" or -5m (units: ms s m h d w)';

/** The moment `text` means, at `nowMs`. Throws Fault `time-malformed`. */
export function wallMsParse(text: string, nowMs: number): WallMs {
  const trimmed = text.trim();
  const relative = relativeMs(trimmed);
  if (relative !== null) return Math.round(nowMs - relative) as WallMs;
  const match = RFC_3339.exec(trimmed);
  if (match === null) throw malformed(text, 'is not a time');
  if (match[8] === undefined) throw malformed(text, 'has no time zone', `${trimmed}Z if it is in UTC; `);
  const [, year, month, day, hour, minute, second = '00', fraction = '', zone] = match;
  // The seconds' fraction is cut to what Date reads; a moment between two milliseconds is the earlier one.
  const clock = `${hour}:${minute}:${second}${fraction.slice(0, 4)}`;
  const iso = `${year}-${month}-${day}T${clock}${zone?.toUpperCase()}`;
  const wallMs = Date.parse(iso);
  if (Number.isNaN(wallMs) || !isCalendarDay(Number(year), Number(month), Number(day))) {
    throw malformed(text, 'is not in the calendar');
  }
  return wallMs as WallMs;
}

/** `5m ago`, `-5m`, `1h30m ago` in milliseconds; `null` for anything else. */
function relativeMs(text: string): number | null {
  const match = /^(?:-(.+)|(.+?)\s+ago)$/.exec(text);
  const span = (match?.[1] ?? match?.[2])?.trim();
  if (span === undefined || span === '') return null;
  let total = 0;
  PART.lastIndex = 0;
  while (PART.lastIndex < span.length) {
    const part = PART.exec(span);
    if (part === null) return null;
    total += Number(part[1]) * (UNIT_MS[part[2] ?? ''] ?? 0);
    while (span[PART.lastIndex] === ' ') PART.lastIndex++;
  }
  return total;
}

function isCalendarDay(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function malformed(text: string, why: string, first = ''): Fault {
  return new Fault('invalid', 'time-malformed', `"${text}" ${why}`, { hint: `${first}${HINT}` });
}
