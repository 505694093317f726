/** The Clock contract on this machine. */

import { hostClock } from '../../src/host/clock.ts';
import { clockContract } from './clock.ts';
import { realWorld } from './world.ts';

clockContract('host', () => ({ ...realWorld, clock: hostClock }));
