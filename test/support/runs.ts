/** How often a property is tried: as its test says in `npm run check`, 10,000 times in `check:long`. */

const LONG = 10_000;

/** Whether this is `npm run check:long`. */
export const IS_LONG: boolean = process.env['MILLRACE_LONG'] === '1';

/** The runs of a property that takes `inCheck` of them in `npm run check`. */
export function runs(inCheck: number): number {
  return IS_LONG ? LONG : inCheck;
}
