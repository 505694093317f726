/** Litestream 0.5.17 as the other program: it reads a replica by its own rules, and restores it to a file. */

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** What Litestream made of a replica. */
export interface Hydration {
  /** The newest TXID that it saw; `null`: it could not open the replica. */
  readonly txid: string | null;
  /** Its own words, if it failed. */
  readonly failure: string | null;
  /** The database that it restored; `null` if it failed. */
  readonly database: Uint8Array | null;
}

/** The extension's path, or `null` on machines that it was not built for. */
export const litestreamExtension: string | null = extensionPath();

/** Why tests with Litestream are skipped, or `false` where they are not. */
export const litestreamSkip: string | false =
  litestreamExtension === null ? 'litestream-vfs-linux-amd64 is not installed on this machine' : false;

function extensionPath(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  const manifest = createRequire(import.meta.url).resolve('litestream-vfs-linux-amd64/package.json');
  return join(dirname(manifest), 'litestream-vfs.so');
}

/** Puts files, by their key, into a replica in `directory`, and has Litestream restore it. */
export async function litestreamHydrate(
  directory: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<Hydration> {
  const replica = join(directory, 'replica');
  for (const [key, bytes] of files) {
    mkdirSync(dirname(join(replica, key)), { recursive: true });
    writeFileSync(join(replica, key), bytes);
  }
  const target = join(directory, 'hydrated.db');
  const env = {
    LITESTREAM_REPLICA_URL: `file://${replica}`,
    LITESTREAM_HYDRATION_ENABLED: 'true',
    LITESTREAM_HYDRATION_PATH: target,
    LITESTREAM_LOG_FILE: join(directory, 'litestream.log'),
    LITESTREAM_LOG_LEVEL: 'DEBUG',
  };
  const args = [join(import.meta.dirname, 'litestream-main.ts'), litestreamExtension ?? ''];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 30_000 });
  const { txid, failure }: { txid: string | null; failure: string | null } = JSON.parse(stdout);
  return { txid, failure, database: failure === null ? new Uint8Array(readFileSync(target)) : null };
}
