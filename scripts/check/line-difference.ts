/** The difference of two short texts, for people: lines that one has and the other lacks. */

/** `- line` for what only `before` has, `+ line` for what only `after` has, each in its text's order. */
export function lineDifference(before: string, after: string): string[] {
  const old = before.split('\n');
  const fresh = after.split('\n');
  const added = withoutThose(fresh, old).map((line) => `+ ${line}`);
  const removed = withoutThose(old, fresh).map((line) => `- ${line}`);
  if (added.length + removed.length > 0 || before === after) return [...removed, ...added];
  return ['~ the same lines in another order'];
}

/** The lines of `lines` without those of `others`, each as often as it is there more. */
function withoutThose(lines: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of others) counts.set(line, (counts.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const left = counts.get(line) ?? 0;
    counts.set(line, left - 1);
    return left <= 0;
  });
}
