/**
 * What every contract suite needs of the world it runs in, beside the port.
 *
 * The real world is the machine; the simulated one moves only while it is asked to `run` something.
 */

import { until } from '../support/until.ts';

export interface ContractWorld {
  /** Lets the world run until `work` is done. */
  readonly run: <T>(work: Promise<T>) => Promise<T>;
  /** Resolves once `condition` holds; called inside `run`. Rejects after a while, naming `what`. */
  readonly until: (condition: () => boolean, what: string) => Promise<void>;
}

/** The real world. */
export const realWorld: ContractWorld = {
  run: (work) => work,
  async until(condition, what) {
    await until(condition, { what });
  },
};

/**
 * Asserts-style check: whether an error is a Fault of this kind and code, for `assert.throws` and
 * `assert.rejects`.
 */
export function faultOf(kind: string, code: string): (error: unknown) => boolean {
  return (error) => {
    const { name, kind: actual, code: actualCode, message } = error as Record<string, unknown>;
    if (name === 'Fault' && actual === kind && actualCode === code) return true;
    const thrown = [name, actual, actualCode, message].map(String).join(' ');
    throw new Error(`a Fault ${kind} ${code} was expected, not: ${thrown}`, {
      cause: error,
    });
  };
}
