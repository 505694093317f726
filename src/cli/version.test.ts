import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../base/fault.ts';
import { nodeCheck } from './version.ts';

test('a Node older than the one that package.json asks for is refused by name', () => {
  for (const old of ['18.20.8', '20.20.2', '22.23.3']) {
    assert.throws(
      () => nodeCheck(old),
      (error) => isFault(error, 'invalid') && error.code === 'node-too-old' && error.message.includes(old),
    );
  }
  for (const good of ['24.0.0', '26.1.0', '100.0.0']) nodeCheck(good);
  nodeCheck();
});
