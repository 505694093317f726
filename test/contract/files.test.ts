/** The Files contract on this machine. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { hostFiles } from '../../src/host/files.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { filesContract } from './files.ts';
import { realWorld } from './world.ts';

filesContract('host', (t) => ({ ...realWorld, files: hostFiles, dir: temporaryDirectory(t), lockElsewhere }));

async function lockElsewhere(path: string): Promise<{ kill(): Promise<void> }> {
  const program = new URL('../support/lock-holder.ts', import.meta.url).pathname;
  const args = ['--disable-warning=ExperimentalWarning', program, path];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const [said] = await once(child.stdout, 'data');
  if (String(said) === 'held\n') return { kill };
  await kill();
  throw new Error(`the other process was ${String(said)}`);
}
