import assert from 'node:assert/strict';
import { test } from 'node:test';

import { restartVerdict, sameLogVerdict } from './proof.ts';

const none = { commits: 0, suspects: 0 };

test('inside one log the counter must have moved by the commits that the log shows', () => {
  assert.deepEqual(sameLogVerdict(10, 13, { commits: 3, suspects: 0 }), {
    proved: { iChange: 13, commits: 3 },
  });
  assert.ok('gap' in sameLogVerdict(10, 12, { commits: 3, suspects: 0 }));
  assert.ok('gap' in sameLogVerdict(10, 14, { commits: 3, suspects: 0 }));
  assert.ok('gap' in sameLogVerdict(10, 11, none));
});

test('padded commit frames may be as many fewer commits, and no more', () => {
  const found = { commits: 5, suspects: 2 };
  assert.deepEqual(sameLogVerdict(10, 13, found), { proved: { iChange: 13, commits: 3 } });
  assert.deepEqual(sameLogVerdict(10, 15, found), { proved: { iChange: 15, commits: 5 } });
  assert.ok('gap' in sameLogVerdict(10, 12, found));
});

test('a counter that wraps goes on', () => {
  assert.ok('proved' in sameLogVerdict(0xffff_ffff, 1, { commits: 2, suspects: 0 }));
  const evidence = {
    iChangeThen: 0xffff_fffe,
    iChangeNow: 2,
    oneRestart: true,
    isClean: false,
    found: { commits: 1, suspects: 0 },
  };
  assert.deepEqual(restartVerdict({ ...evidence, tail: { commits: 5, suspects: 0 } }), {
    proved: { take: 3 },
  });
});

test('a counter that fell back is a gap', () => {
  assert.ok('gap' in sameLogVerdict(10, 3, { commits: 3, suspects: 0 }));
  const evidence = {
    iChangeThen: 10,
    iChangeNow: 3,
    oneRestart: true,
    isClean: false,
    found: { commits: 3, suspects: 0 },
    tail: none,
  };
  assert.ok('gap' in restartVerdict(evidence));
});

test('a counter that was never known takes what the chain shows, and proves nothing across a restart', () => {
  assert.ok('proved' in sameLogVerdict(null, 99, { commits: 3, suspects: 0 }));
  assert.ok(
    'gap' in
      restartVerdict({
        iChangeThen: null,
        iChangeNow: 1,
        oneRestart: true,
        isClean: false,
        found: none,
        tail: none,
      }),
  );
});

test('across one restart exactly the commits that the counter misses are taken from the tail', () => {
  const evidence = {
    iChangeThen: 10,
    iChangeNow: 15,
    oneRestart: true,
    isClean: false,
    found: { commits: 3, suspects: 0 },
  };
  assert.deepEqual(restartVerdict({ ...evidence, tail: { commits: 2, suspects: 0 } }), {
    proved: { take: 2 },
  });
  assert.deepEqual(restartVerdict({ ...evidence, tail: { commits: 9, suspects: 0 } }), {
    proved: { take: 2 },
  });
  assert.ok('gap' in restartVerdict({ ...evidence, tail: { commits: 1, suspects: 0 } }));
});

test('over any other change of salts nothing may be missing', () => {
  const evidence = {
    iChangeThen: 10,
    oneRestart: false,
    isClean: true,
    found: { commits: 3, suspects: 0 },
    tail: { commits: 9, suspects: 0 },
  };
  assert.deepEqual(restartVerdict({ ...evidence, iChangeNow: 13 }), { proved: { take: 0 } });
  assert.ok(
    'gap' in restartVerdict({ ...evidence, iChangeNow: 13, isClean: false }),
    'other logs had commits',
  );
  assert.ok('gap' in restartVerdict({ ...evidence, iChangeNow: 14 }));
});

test('padding that could change a count across a restart is a gap', () => {
  const evidence = { iChangeThen: 10, iChangeNow: 13, oneRestart: true, isClean: false, tail: none };
  assert.ok('gap' in restartVerdict({ ...evidence, found: { commits: 3, suspects: 1 } }));
  const padded = {
    iChangeThen: 10,
    iChangeNow: 14,
    oneRestart: true,
    isClean: false,
    found: { commits: 3, suspects: 0 },
  };
  assert.ok('gap' in restartVerdict({ ...padded, tail: { commits: 2, suspects: 1 } }));
});
