/** Unit tests of store URLs. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { isFault } from '../base/fault.ts';
import type { Fault } from '../base/fault.ts';
import { storeUrlParse } from './store-url.ts';
import { runs } from '../../test/support/runs.ts';

function faultOf(url: string): Fault {
  try {
    storeUrlParse(url);
  } catch (error) {
    assert.ok(isFault(error, 'invalid'), `${url}: ${String(error)}`);
    return error;
  }
  return assert.fail(`${url} is accepted`);
}

test('paths and file URLs are archives in directories', () => {
  const cases: Readonly<Record<string, string>> = {
    'file:///var/backups/app': '/var/backups/app',
    'file://localhost/var/a': '/var/a',
    'FILE:///var/a/': '/var/a',
    'file:///with%20space/%C3%A4': '/with space/ä',
    'file:///': '/',
    '/var/backups/app//': '/var/backups/app',
    '/': '/',
    './a/b': './a/b',
    a: 'a',
    '../x:y': '../x:y',
    '/with%20percent': '/with%20percent',
  };
  for (const [url, path] of Object.entries(cases))
    assert.deepEqual(storeUrlParse(url), { kind: 'file', path });
});

test('other schemes are refused, and near misses say what was meant', () => {
  assert.equal(faultOf('s3://bucket/app').code, 'store-scheme');
  assert.match(faultOf('s3://bucket/app').message, /no archives at s3: URLs/);
  for (const url of ['flie:///var/a', 'fiel:/var/a', 'files:///var/a', 'fil:///var/a']) {
    assert.match(faultOf(url).hint ?? '', /did you mean file:\/\/\/var\/a \?/, url);
  }
  assert.match(faultOf('backup:monday').hint ?? '', /\.\/backup:monday/);
});

test('what is not certainly a place is refused by name', () => {
  assert.equal(faultOf('').code, 'store-url-empty');
  assert.equal(faultOf('  ').code, 'store-url-empty');
  const hints: Readonly<Record<string, RegExp>> = {
    'file://var/a': /did you mean file:\/\/\/var\/a \?/,
    'file:var/a': /did you mean file:\/\/\/var\/a \?/,
    'file:/var/a': /did you mean file:\/\/\/var\/a \?/,
    'file://': /such as file:\/\//,
    'file:///a?b': /%3F/,
    'file:///a#b': /%23/,
    'file:///100%': /%25/,
    'file:///a%00b': /such as file:\/\//,
    '/a\0b': /such as file:\/\//,
    '~/backups': /\$HOME/,
    '~alice': /\$HOME/,
  };
  for (const [url, hint] of Object.entries(hints)) {
    const fault = faultOf(url);
    assert.equal(fault.code, 'store-url-malformed', url);
    assert.match(fault.hint ?? '', hint, url);
  }
});

test('any text is a place or a Fault', () => {
  const isEither = (url: string): void => {
    try {
      const { path } = storeUrlParse(url);
      assert.ok(path !== '');
    } catch (error) {
      assert.ok(isFault(error, 'invalid'), String(error));
    }
  };
  const texts = fc.oneof(
    fc.string(),
    fc.webUrl(),
    fc.string().map((text) => `file:${text}`),
  );
  fc.assert(fc.property(texts, isEither), { numRuns: runs(500) });
});
