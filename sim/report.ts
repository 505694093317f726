/**
 * What a run over many seeds came to, as text: kills by phase, what the applications did, and failures with
 * their replay.
 */

import type { Episode } from './episode.ts';
import { PHASES } from './phases.ts';

/** The sums over many episodes. */
export class Report {
  readonly #kills: Map<string, number> = new Map(PHASES.map((phase) => [phase, 0]));
  readonly #sums: Map<string, number> = new Map();
  readonly #failures: Episode[] = [];
  #episodes = 0;

  add(episode: Episode): void {
    this.#episodes += 1;
    for (const phase of episode.killedIn) this.#kills.set(phase, (this.#kills.get(phase) ?? 0) + 1);
    for (const [what, count] of Object.entries(episode.application)) this.#sum(what, count);
    for (const [event, count] of episode.events) this.#sum(`event ${event}`, count);
    this.#sum('TXIDs', episode.txids);
    this.#sum('power failures', episode.powerFailures);
    if (episode.violations.length > 0) this.#failures.push(episode);
  }

  get failures(): readonly Episode[] {
    return this.#failures;
  }

  /** Phases in which nothing was ever killed. */
  get unkilled(): readonly string[] {
    return [...this.#kills].filter(([, count]) => count === 0).map(([phase]) => phase);
  }

  /** How often something happened in all episodes. */
  count(what: string): number {
    return this.#sums.get(what) ?? 0;
  }

  text(): string {
    const most = Math.max(1, ...this.#kills.values());
    const kills = [...this.#kills].map(([phase, count]) => {
      const bar = '#'.repeat(Math.ceil((40 * count) / most));
      return `  ${phase.padEnd(16)} ${String(count).padStart(6)} ${bar}`;
    });
    const sums = [...this.#sums].map(([what, count]) => `${what} ${count}`).join(', ');
    return [`${this.#episodes} episodes: ${sums}`, 'kills by phase:', ...kills].join('\n');
  }

  #sum(what: string, count: number): void {
    this.#sums.set(what, (this.#sums.get(what) ?? 0) + count);
  }
}

/** A failed episode, and how to see it again. */
export function failureText(episode: Episode): string {
  const replay = `node sim/main.ts --scenario ${episode.scenario} --seed ${episode.seed} --trace`;
  const what = episode.violations.slice(0, 12).map((line) => `  ${line}`);
  const tail = episode.tail.map((line) => `    ${line}`);
  return [`FAILED ${episode.scenario} seed ${episode.seed}`, ...what, `  replay: ${replay}`, ...tail].join(
    '\n',
  );
}
