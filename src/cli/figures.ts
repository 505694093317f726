/** Figures as people read them: counts with separators, sizes in binary units, durations, moments in UTC. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** 1234567 is `1,234,567`. */
export function countFigure(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** 1536 is `1.5 KiB`. */
export function bytesFigure(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** 1500 is `1.5 s`; 90000 is `1 min 30 s`. */
export function durationFigure(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const from = parts.findIndex(([value]) => value > 0);
  const shown = parts.slice(from, from + 2).filter(([value]) => value > 0);
  return shown.map(([value, unit]) => `${value} ${unit}`).join(' ');
}

/** A wall-clock time as RFC 3339 in UTC, with milliseconds: what `--at` takes. */
export function momentFigure(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

/** `1 commit`, `2 commits`. */
export function plural(count: number, noun: string): string {
  return `${countFigure(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Rows of cells as lines, columns padded to their widest cell; numbers (`right` columns) to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return right.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
