/** The version of this package. */

import { readFileSync } from 'node:fs';

/** `version` of package.json. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return String((manifest as { version: unknown }).version);
}
