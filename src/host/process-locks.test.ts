import assert from 'node:assert/strict';
import { test } from 'node:test';

import { locksParse } from './process-locks.ts';

const TEXT = `1: POSIX  ADVISORY  READ 6145 fe:00:2162929 124 124
2: POSIX  ADVISORY  READ 6145 fe:00:2162929 128 128
2: -> POSIX  ADVISORY  WRITE 77 fe:00:2162929 128 128
3: POSIX  ADVISORY  READ 6145 fe:00:2162913 1073741826 1073742335
4: POSIX  ADVISORY  WRITE 99 00:1a:42 0 EOF
5: FLOCK  ADVISORY  WRITE 6145 fe:00:7 0 EOF
`;

test('the lasting locks of one process on the files asked for are found', () => {
  const held = locksParse(TEXT, 6145, [2162913n, 2162929n]);
  assert.deepEqual([...held].toSorted(), ['2162913 shared', '2162929 dms']);
});

test('locks of other processes, on other files, waited for, or of another kind do not count', () => {
  assert.equal(locksParse(TEXT, 77, [2162929n]).size, 0);
  assert.equal(locksParse(TEXT, 6145, [7n, 42n]).size, 0);
  assert.equal(locksParse('', 6145, [2162929n]).size, 0);
});

test('a lock to the end of the file covers everything', () => {
  assert.deepEqual([...locksParse(TEXT, 99, [42n])].toSorted(), ['42 dms', '42 shared']);
});
