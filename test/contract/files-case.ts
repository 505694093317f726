/** What the cases of the Files contract are made of. */

import assert from 'node:assert/strict';

import { utf8 } from '../../src/base/bytes.ts';
import type { Fd, Files } from '../../src/base/ports.ts';
import type { ContractWorld } from './world.ts';

export interface FilesWorld extends ContractWorld {
  readonly files: Files;
  /** An existing, empty directory. */
  readonly dir: string;
  /** Another process takes the lock at `path`, and keeps it until it is killed. */
  readonly lockElsewhere: (path: string) => Promise<{ kill(): Promise<void> }>;
  /** The machine loses power and starts again; `files` goes on. Missing where that cannot be done. */
  readonly crash?: () => Promise<void>;
}

export interface FilesCase {
  readonly title: string;
  readonly body: (world: FilesWorld) => Promise<void> | void;
  readonly needsCrash?: boolean;
}

export function create(files: Files, path: string, content: string): void {
  const fd = files.open(path, 'create');
  files.write(fd, utf8(content), 0);
  files.close(fd);
}

export function content(files: Files, path: string): string {
  const fd = files.open(path, 'read');
  try {
    return contentOf(files, fd);
  } finally {
    files.close(fd);
  }
}

export function contentOf(files: Files, fd: Fd): string {
  const bytes = new Uint8Array(files.size(fd));
  assert.equal(files.read(fd, bytes, 0), bytes.length);
  return new TextDecoder().decode(bytes);
}
