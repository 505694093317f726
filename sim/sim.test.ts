/**
 * The simulated set: many seeds over all scenarios; every phase must have been killed in; and canaries, each
 * a safety rule taken away, which the checkers must find.
 */

import assert from 'node:assert/strict';
import { env } from 'node:process';
import { describe, test } from 'node:test';

import type { Verdicts } from '../src/engine/observer.ts';
import { sameLogVerdict } from '../src/engine/proof.ts';
import type { ObjectStore } from '../src/storage/object-store.ts';
import { TAKES_THE_WHOLE_TAIL } from '../test/support/simpler-verdicts.ts';
import { episode } from './episode.ts';
import type { EpisodeOptions, Scenario } from './episode.ts';
import { Report, failureText } from './report.ts';
import { SCENARIOS } from './scenarios/scenarios.ts';
import { IS_LONG } from '../test/support/runs.ts';

/** SIM_SEEDS overrides it. */
const SEEDS = Number(env['SIM_SEEDS'] ?? (IS_LONG ? 2_000 : 208));
const CANARY_SEEDS_MAX = 60;

/** What must have happened somewhere in the set, for it to mean anything. */
const MUST_HAPPEN = ['commits', 'crashes', 'closes', 'ghosts', 'checkpoints', 'recoveries', 'power failures'];

describe('simulated worlds', () => {
  test('no durable commit is lost, nothing uncommitted is archived, and all comes to rest', async (t) => {
    const report = new Report();
    for (let seed = 1; seed <= SEEDS; seed++) {
      report.add(await episode(SCENARIOS[seed % SCENARIOS.length] as Scenario, seed));
    }
    t.diagnostic(report.text());
    assert.deepEqual(report.failures.map(failureText), []);
    assert.deepEqual(report.unkilled, [], 'phases without a kill');
    const missing = [...MUST_HAPPEN, 'event gap', 'event durable', 'TXIDs'].filter(
      (what) => report.count(what) === 0,
    );
    assert.deepEqual(missing, [], 'things that never happened');
  });

  for (const scenario of SCENARIOS) {
    test(`the same seed has the same trace: ${scenario.name}`, async () => {
      const [one, two] = [await episode(scenario, 7), await episode(scenario, 7)];
      assert.equal(one.traceHash, two.traceHash);
      assert.notEqual(one.traceHash, (await episode(scenario, 8)).traceHash);
    });
  }
});

/** The restart's proof is left out: what the log holds behind it is all there was. */
const FORGETS_THE_TAIL: Verdicts = { sameLog: sameLogVerdict, restart: () => ({ proved: { take: 0 } }) };

/** `store`, with another way to put. */
function altered(store: ObjectStore, put: ObjectStore['put']): ObjectStore {
  return {
    url: store.url,
    capabilities: store.capabilities,
    put,
    get: (key, range, signal) => store.get(key, range, signal),
    head: (key) => store.head(key),
    list: (prefix, startAfter) => store.list(prefix, startAfter),
    delete: (keys) => store.delete(keys),
    close: () => store.close(),
  };
}

/** Answers every fifth PUT of an L0 that it has stored it, and has not. */
function forgetful(store: ObjectStore): ObjectStore['put'] {
  let puts = 0;
  return async (key, body, options) => {
    const isForgotten = key.startsWith('ltx/') && ++puts % 5 === 0;
    return isForgotten ? { outcome: 'stored', etag: '"none"' } : await store.put(key, body, options);
  };
}

interface Canary {
  readonly scenario: string;
  readonly options: EpisodeOptions;
  /** The invariant that must be found broken. */
  readonly breaks: RegExp;
}

const CANARIES: Readonly<Record<string, Canary>> = {
  'passing on the whole tail of a log (B2)': {
    scenario: 'application-dies',
    options: { replicate: { verdicts: TAKES_THE_WHOLE_TAIL } },
    breaks: /^I13/,
  },
  'forgetting the tail of a log': {
    scenario: 'busy-machine',
    options: { replicate: { verdicts: FORGETS_THE_TAIL } },
    breaks: /^I1(3|:)/,
  },
  'believing a store that does not keep what it confirmed': {
    scenario: 'calm',
    options: { store: (store) => altered(store, forgetful(store)) },
    breaks: /^I(1|5):/,
  },
};

describe('canaries: a safety rule taken away is noticed', () => {
  for (const [what, { scenario: name, options, breaks }] of Object.entries(CANARIES)) {
    test(what, async (t) => {
      const scenario = SCENARIOS.find((candidate) => candidate.name === name) as Scenario;
      for (let seed = 1; seed <= CANARY_SEEDS_MAX; seed++) {
        const { violations } = await episode(scenario, seed, options);
        const found = violations.find((line) => breaks.test(line));
        if (found === undefined) continue;
        t.diagnostic(`as it must be, noticed by seed ${seed}: ${found}`);
        return;
      }
      assert.fail(`${CANARY_SEEDS_MAX} seeds did not notice`);
    });
  }
});
