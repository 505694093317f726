/** The phases in which a simulated Millrace can die, by the call that it makes. */

/** Phases of replication and of restore: a run over many seeds must have killed in each. */
export const PHASES = [
  'attach',
  'capture',
  'difference',
  'seal',
  'state written',
  'PUT sent',
  'PUT answered',
  'archive read',
  'waiting',
  'restore read',
  'restore written',
  'restore landed',
] as const;

export type Phase = (typeof PHASES)[number];

/** The phase of a call of the process that replicates. */
export function keeperPhase(call: string, detail: string): Phase {
  if (call === 'store.put') return 'PUT sent';
  if (call === 'store.put answered') return 'PUT answered';
  if (call.startsWith('store.')) return 'archive read';
  if (call === 'database.readWal' || call === 'database.readShm') return 'capture';
  if (call === 'database.readMain' || call === 'database.pin' || call === 'database.unpin')
    return 'difference';
  if (call.startsWith('database')) return 'attach';
  if (call === 'files.write' && detail.endsWith('/pages')) return 'seal';
  if (call.startsWith('files.')) return 'state written';
  return 'waiting';
}

/** The phase of a call of a process that restores. */
export function restorePhase(call: string): Phase {
  if (/^files\.(fsync|fsynced|rename|link|remove|fsyncDir|dirFsynced|own|touch|close)$/.test(call))
    return 'restore landed';
  if (/^files\.(create|write|truncate)$/.test(call)) return 'restore written';
  return 'restore read';
}
