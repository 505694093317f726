import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Fault } from '../base/fault.ts';
import { isAbsence, system, systemFault } from './system-fault.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: it failed`), { code, syscall: 'open', errno: -1 });
}

function faultOf(code: string): Fault {
  const fault = systemFault('open', '/no/such/path', systemError(code));
  assert.ok(fault instanceof Fault);
  return fault;
}

test('each of the system’s errors is a Fault that says what to do', () => {
  const expected = {
    EACCES: ['invalid', 'file-forbidden'],
    EPERM: ['invalid', 'file-forbidden'],
    EROFS: ['invalid', 'file-system-readonly'],
    ENOENT: ['invalid', 'file-missing'],
    EEXIST: ['invalid', 'file-exists'],
    EISDIR: ['invalid', 'file-kind'],
    ENOSPC: ['unavailable', 'disk-full'],
    EDQUOT: ['unavailable', 'disk-full'],
    EMFILE: ['unavailable', 'descriptors-exhausted'],
    EIO: ['unavailable', 'disk-error'],
    EWHATEVER: ['unavailable', 'system-error'],
  };
  for (const [code, [kind, name]] of Object.entries(expected)) {
    const fault = faultOf(code);
    assert.deepEqual([fault.kind, fault.code, fault.details['system']], [kind, name, code]);
    assert.match(fault.message, /^cannot open \/no\/such\/path: /);
    assert.ok(fault.cause instanceof Error);
  }
});

test('what is forbidden names the owner of the nearest thing that can be seen', () => {
  const fault = faultOf('EACCES');
  assert.match(fault.message, /\(\/ belongs to uid \d+, mode \d{3}; this process is uid \d+\)$/);
  assert.match(fault.hint ?? '', /^run as uid \d+, or give uid \d+ access to \/$/);
});

test('a path with a zero byte is a Fault', () => {
  const fail = (): void => {
    throw Object.assign(new TypeError('null bytes'), { code: 'ERR_INVALID_ARG_VALUE' });
  };
  assert.throws(() => system('open', 'a\0b', fail), { name: 'Fault', code: 'path-malformed' });
});

test('an error that is not the system’s stays what it is', () => {
  for (const error of [
    new TypeError('a mistake'),
    Object.assign(new Error('x'), { code: 'ERR_OTHER' }),
    'text',
  ]) {
    assert.equal(systemFault('open', '/', error), error);
  }
});

test('absence is no file, or a file where a directory should be', () => {
  assert.equal(isAbsence(systemError('ENOENT')), true);
  assert.equal(isAbsence(systemError('ENOTDIR')), true);
  assert.equal(isAbsence(systemError('EACCES')), false);
  assert.equal(isAbsence(new Error('no such file')), false);
});
