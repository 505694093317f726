/**
 * `npm run bench -- capture|latency|kernel`: runs a benchmark and prints its figures with the machine and the
 * date.
 */

import { cpus, release, totalmem } from 'node:os';
import { benchCapture } from './capture.ts';
import { benchLatency } from './latency.ts';
import { benchKernel } from './kernel.ts';

const BENCHES: Readonly<Record<string, () => Promise<string>>> = {
  capture: benchCapture,
  latency: benchLatency,
  kernel: benchKernel,
};

const name = process.argv[2] ?? '';
const bench = BENCHES[name];
if (bench === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')}\n`);
  process.exit(2);
}
const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, ${memory}`;
const versions = `Linux ${release()}, Node ${process.version}, SQLite ${process.versions.sqlite}`;
const figures = await bench();
process.stdout.write(
  `## ${name}, ${new Date().toISOString().slice(0, 10)}\n\n${machine}; ${versions}.\n\n${figures}\n`,
);
