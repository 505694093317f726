import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hostLog, logLine } from './log.ts';

function collector(): { readonly lines: string[]; write(line: string): void } {
  const lines: string[] = [];
  return { lines, write: (line) => void lines.push(line) };
}

test('a JSON line carries level, time, message and fields, wide numbers as text', () => {
  const to = collector();
  hostLog({ level: 'info', format: 'json', to }).warn('it failed', {
    txid: 1n << 62n,
    pages: 3,
    gone: undefined,
  });
  const [line = ''] = to.lines;
  const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(rest, { level: 'warn', msg: 'it failed', txid: '4611686018427387904', pages: 3 });
});

test('what is below the level is not written', () => {
  const to = collector();
  const log = hostLog({ level: 'warn', format: 'json', to });
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  assert.equal(to.lines.length, 2);
});

test('a line for people has the time of day, the message and the fields', () => {
  const to = collector();
  hostLog({ level: 'debug', format: 'text', to }).debug('page read', { page: 7, path: '/a b' });
  assert.match(to.lines.join(''), /^\d\d:\d\d:\d\d\.\d{3} DEBUG page read page=7 path="\/a b"\n$/);
});

test('a field that is empty or has quotes is quoted', () => {
  const json = JSON.stringify({
    level: 'info',
    time: '2025-01-01T00:00:00.000Z',
    msg: 'm',
    a: '',
    b: 'x"y',
    c: true,
  });
  assert.equal(logLine(json), '00:00:00.000 INFO  m a="" b="x\\"y" c=true\n');
});
