/**
 * The simulator: `node sim/main.ts [--seed N] [--count K] [--scenario NAME] [--trace]`
 *
 * Runs K seeds from N on, of one scenario or of each in turn, and prints each one's trace hash. Ends with 1
 * if any seed failed. The same seed has the same hash, on any machine.
 */

import { parseArgs } from 'node:util';

import { episode } from './episode.ts';
import type { Scenario } from './episode.ts';
import { Report, failureText } from './report.ts';
import { SCENARIOS } from './scenarios/scenarios.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '1' },
    scenario: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});

const named = SCENARIOS.filter(({ name }) => values.scenario === undefined || name === values.scenario);
if (named.length === 0) {
  console.error(
    `there is no scenario ${values.scenario}; there are ${SCENARIOS.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

const first = Number(values.seed);
const report = new Report();
for (let seed = first; seed < first + Number(values.count); seed++) {
  const scenario = named[seed % named.length] as Scenario;
  const onEntry = values.trace ? (entry: string): void => console.log(`    ${entry}`) : undefined;
  const done = await episode(scenario, seed, onEntry === undefined ? {} : { onEntry });
  report.add(done);
  console.log(
    `${done.traceHash} ${scenario.name} seed ${seed}: ${done.txids} TXIDs, ${Math.round(done.virtualMs)} ms`,
  );
  if (done.violations.length > 0) console.log(failureText(done));
}
console.log(report.text());
process.exitCode = report.failures.length > 0 ? 1 : 0;
