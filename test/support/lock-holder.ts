/** A process that takes the lock at the path given, says "held" or "refused", and waits for its end. */

import { hostFiles } from '../../src/host/files.ts';

const lock = hostFiles.lock(process.argv[2] ?? '');
process.stdout.write(lock === null ? 'refused\n' : 'held\n');
// Its end is its being killed, or the end of the test that started it.
process.stdin.resume();
process.stdin.on('close', () => process.exit(0));
