/**
 * Store URLs: where an archive is, as people type it. A path is one too.
 *
 * Contract: what is not certainly meant is refused, with what was probably meant in the hint. An archive
 * that silently lands in a directory named `s3:` is no backup.
 */

import { Fault } from '../base/fault.ts';

/** Where an archive is. */
export interface StoreUrl {
  readonly kind: 'file';
  /** Absolute, or relative to the working directory, as it was typed; without a slash at its end. */
  readonly path: string;
}

/** Schemes of stores that people have archives in, and that are none here. */
const FOREIGN: ReadonlySet<string> = new Set(
  'abs azblob azure b2 ftp gcs gs http https minio nats oss r2 s3 sftp ssh webdav webdavs'.split(' '),
);
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]+):/;

/**
 * Reads a store URL: `file:///var/backups/app`, `/var/backups/app`, `./backup`.
 * Faults: `store-url-empty`, `store-url-malformed`, `store-scheme`.
 */
export function storeUrlParse(url: string): StoreUrl {
  if (url.trim() === '') {
    throw new Fault('invalid', 'store-url-empty', 'the URL of the archive is empty', { hint: EXAMPLE });
  }
  const scheme = SCHEME.exec(url)?.[1]?.toLowerCase();
  const path =
    scheme === undefined ? plainPath(url) : scheme === 'file' ? filePath(url) : foreign(url, scheme);
  if (/\p{Cc}/u.test(path)) throw malformed(url, 'it holds control characters', EXAMPLE);
  return { kind: 'file', path: path.replace(/(?<=.)\/+$/, '') };
}

const EXAMPLE = 'write a path, or a URL such as file:///var/backups/app';

function plainPath(url: string): string {
  if (!/^~[^/]*(\/|$)/.test(url)) return url;
  throw malformed(
    url,
    '"~" means a home directory to a shell only',
    'write the path in full, or "$HOME/…" in a shell',
  );
}

function filePath(url: string): string {
  const rest = url.slice('file:'.length);
  const [, host = '', path = ''] = /^\/\/([^/]*)(.*)$/s.exec(rest) ?? [];
  if (!rest.startsWith('//'))
    throw malformed(url, 'after "file:" come slashes', didYouMean(`file://${absolute(rest)}`));
  if (host !== '' && host !== 'localhost') {
    const hint = `${didYouMean(`file:///${host}${path}`)} A relative path is written without "file:".`;
    throw malformed(url, `"${host}" stands where a host does`, hint);
  }
  if (path === '') throw malformed(url, 'it has no path', EXAMPLE);
  const odd = /[?#]/.exec(path)?.[0];
  if (odd !== undefined)
    throw malformed(url, `it holds "${odd}"`, `write ${encodeURIComponent(odd)} if the path holds it`);
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw malformed(url, 'a "%" is not followed by two hex digits of UTF-8', 'write %25 for "%"', cause);
  }
}

function foreign(url: string, scheme: string): never {
  const rest = url.slice(scheme.length + 1).replace(/^\/*/, '/');
  const isNear = !FOREIGN.has(scheme) && editDistance(scheme, 'file') <= 2;
  const hint = isNear ? didYouMean(`file://${rest}`) : `archives are in directories: ${EXAMPLE}`;
  throw new Fault('invalid', 'store-scheme', `there are no archives at ${scheme}: URLs`, {
    hint: FOREIGN.has(scheme) || isNear ? hint : `${hint}; a path with a colon is written ./${url}`,
    details: { scheme },
  });
}

function malformed(url: string, why: string, hint: string, cause?: unknown): Fault {
  return new Fault(
    'invalid',
    'store-url-malformed',
    `${JSON.stringify(url)} is no URL of an archive: ${why}`,
    {
      hint,
      cause,
    },
  );
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

function didYouMean(url: string): string {
  return `did you mean ${url} ?`;
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let j = 1; j <= b.length; j++) rows[0]?.push(j);
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      rows[i]?.push(
        Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replaced, isSwap ? at(i - 2, j - 2) + 1 : Infinity),
      );
    }
  }
  return at(a.length, b.length);
}
