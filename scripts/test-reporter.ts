/**
 * The reporter of `node --test` under scripts/check.ts: failures in full, skips with their reasons, the rest
 * as a count.
 *
 * Its last line is `COUNTS {"passed":…,"failed":…,"skipped":…}`, which check.ts adds up. A skip without a
 * reason is a failure, and so is a test that is marked as to do.
 */

import type { TestEvent } from 'node:test/reporters';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

type Passed = Extract<TestEvent, { type: 'test:pass' }>['data'];
type Failed = Extract<TestEvent, { type: 'test:fail' }>['data'];

/** Runner's own messages ("tests 40", "duration_ms 234"), which the counts replace. */
const runnerMessage = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/** Turns the events of a run into text. */
export async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for await (const event of source) {
    switch (event.type) {
      case 'test:pass':
        yield passed(event.data, counts);
        break;
      case 'test:fail':
        yield failed(event.data, counts);
        break;
      case 'test:diagnostic':
        if (!runnerMessage.test(event.data.message)) yield `  ${event.data.message}\n`;
        break;
      case 'test:stdout':
      case 'test:stderr':
        yield event.data.message;
        break;
      default:
    }
  }
  yield `COUNTS ${JSON.stringify(counts)}\n`;
}

function place(data: { readonly name: string; readonly file?: string; readonly line?: number }): string {
  const file = data.file === undefined ? '' : data.file.replace(`${process.cwd()}/`, '');
  return file === '' ? data.name : `${file}:${data.line ?? 1} ${data.name}`;
}

function passed(data: Passed, counts: Counts): string {
  if (data.todo !== undefined && data.todo !== false) {
    counts.failed += 1;
    return `FAILED ${place(data)}\n  a test that is to do is not a test\n`;
  }
  if (data.skip === undefined || data.skip === false) {
    if (data.details.type !== 'suite') counts.passed += 1;
    return '';
  }
  if (typeof data.skip === 'string' && data.skip !== '') {
    counts.skipped += 1;
    return `skipped ${place(data)}\n  because ${data.skip}\n`;
  }
  counts.failed += 1;
  return `FAILED ${place(data)}\n  skipped without a reason\n`;
}

/** A suite, or a test with tests inside it, fails with what is inside it: only that is counted and shown. */
function failed(data: Failed, counts: Counts): string {
  const { error, type } = data.details;
  const isOfParts = 'failureType' in error && error.failureType === 'subtestsFailed';
  if (isOfParts) return '';
  counts.failed += 1;
  const what = type === 'suite' ? 'suite ' : '';
  return `FAILED ${what}${place(data)}\n${stackOf(error.cause).replaceAll(/^/gm, '  ')}\n`;
}

/** The stack of an error, and of what caused it. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? error.message;
  return error.cause === undefined ? stack : `${stack}\ncaused by ${stackOf(error.cause)}`;
}

export { report as default };
