/** The gatherer of the public API sees a change in a declaration that the index only names. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { declarationsParse, publicApi } from './check/declarations.ts';
import { lineDifference } from './check/line-difference.ts';

const files: Readonly<Record<string, string>> = {
  'index.d.ts': [
    "export { open, type Options as OpenOptions } from './engine/open.js';",
    'export declare const version: string;',
  ].join('\n'),
  'engine/open.d.ts': [
    "import { type Clock } from '../base/ports.js';",
    '/** What it takes. */',
    'export interface Options {\n    /** How long. */\n    readonly waitMs: number;',
    '    readonly clock: Clock;\n}',
    'export declare function open(options: Options): Promise<Handle>;',
    'declare class Handle {\n    #private;\n    close(): void;\n}',
    'export declare const unused: number;',
  ].join('\n'),
  'base/ports.d.ts': 'export interface Clock {\n    wallMs(): number;\n}\n',
};

function api(change: Readonly<Record<string, string>> = {}): string {
  return publicApi('index.d.ts', (path) => declarationsParse(path, { ...files, ...change }[path] ?? ''));
}

test('the API is what is exported and what that mentions, without comments', () => {
  assert.equal(
    api(),
    [
      'interface Options {\n    readonly waitMs: number;\n    readonly clock: Clock;\n}',
      'function open(options: Options): Promise<Handle>;',
      'const version: string;',
      '// Mentioned by the above',
      'class Handle {\n    #private;\n    close(): void;\n}',
      'interface Clock {\n    wallMs(): number;\n}',
    ].join('\n\n') + '\n',
  );
});

test('a change in a type that is only mentioned is seen', () => {
  const changed = api({ 'base/ports.d.ts': 'export interface Clock {\n    wallMs(): bigint;\n}\n' });
  assert.deepEqual(lineDifference(api(), changed), ['-     wallMs(): number;', '+     wallMs(): bigint;']);
});

test('an exported name that is declared nowhere is an error', () => {
  assert.throws(() => api({ 'engine/open.d.ts': '' }), /engine\/open\.d\.ts does not declare/);
});

test('lines in another order are a difference', () => {
  assert.deepEqual(lineDifference('a\nb', 'a\nb'), []);
  assert.deepEqual(lineDifference('a\nb', 'b\na'), ['~ the same lines in another order']);
  assert.deepEqual(lineDifference('a', 'a\na'), ['+ a']);
});
