/** Versions: the one of this package, and the one of Node that it needs. */

import { readFileSync } from 'node:fs';
import { Fault } from '../base/fault.ts';

interface Manifest {
  readonly version: string;
  readonly engines: { readonly node: string };
}

function manifest(): Manifest {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Manifest;
}

/** `version` of package.json. */
export function version(): string {
  return manifest().version;
}

/** Throws Fault `node-too-old` where `running` is older than the `engines.node` of package.json. */
export function nodeCheck(running: string = process.versions.node): void {
  const needed = /\d+/.exec(manifest().engines.node)?.[0];
  if (Number.parseInt(running, 10) >= Number(needed)) return;
  throw new Fault('invalid', 'node-too-old', `Millrace needs Node ${needed} or later; this is ${running}`, {
    hint: 'put a newer one first in PATH; in a checkout, `npm run -s millrace -- …` brings its own',
  });
}
