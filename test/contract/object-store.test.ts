/** The ObjectStore contract on the backends of this machine; the simulated world runs it on its own. */

import { join } from 'node:path';

import { hostChance } from '../../src/host/chance.ts';
import { hostClock } from '../../src/host/clock.ts';
import { hostFiles } from '../../src/host/files.ts';
import { FaultyStore } from '../../src/storage/faulty-store.ts';
import { FileStore } from '../../src/storage/file-store.ts';
import { MemoryStore } from '../../src/storage/memory-store.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { objectStoreContract } from './object-store.ts';

objectStoreContract('memory', { open: () => new MemoryStore(hostClock) });

objectStoreContract('memory that can do nothing conditionally and stamps times itself', {
  open: () =>
    new MemoryStore(hostClock, { conditionalCreate: false, compareAndSwap: false, modifiedTime: 'server' }),
});

objectStoreContract('faulty without faults', {
  open: () => new FaultyStore(new MemoryStore(hostClock), hostClock, hostChance),
});

objectStoreContract('file', {
  open: (t) => {
    const ports = { files: hostFiles, clock: hostClock, chance: hostChance };
    return new FileStore(ports, join(temporaryDirectory(t), 'archive'));
  },
});
