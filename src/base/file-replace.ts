/** Replacing a file so that a crash at any moment leaves the old content or the whole new one. */

import type { Fd, Files } from './ports.ts';

/** The directory part of a path. */
export function dirOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut < 0 ? '.' : cut === 0 ? '/' : path.slice(0, cut);
}

/**
 * Writes `parts` to a file beside `path`, fsyncs it, renames it to `path`, and fsyncs the directory. Mode
 * 0600.
 */
export async function fileReplace(files: Files, path: string, parts: readonly Uint8Array[]): Promise<void> {
  const beside = `${path}.tmp`;
  files.remove(beside);
  const fd: Fd = files.open(beside, 'create');
  try {
    let at = 0;
    for (const part of parts) {
      files.write(fd, part, at);
      at += part.length;
    }
    await files.fsync(fd);
  } finally {
    files.close(fd);
  }
  files.rename(beside, path);
  await files.fsyncDir(dirOf(path));
}

/** The whole content of a file, or `null` where there is none. */
export function fileRead(files: Files, path: string): Uint8Array | null {
  if (files.stat(path) === null) return null;
  const fd = files.open(path, 'read');
  try {
    const bytes = new Uint8Array(files.size(fd));
    return bytes.subarray(0, files.read(fd, bytes, 0));
  } finally {
    files.close(fd);
  }
}
