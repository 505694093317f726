/**
 * Start-up: finds out whether this database is the one whose history the archive holds, and where it goes on.
 *
 * Gathers what there is, lets `continuity` decide, and carries that out: page map, epoch, position, and a
 * local state that says so, before the first PUT.
 */

import { must } from '../base/assert.ts';
import { hex } from '../base/bytes.ts';
import { Fault } from '../base/fault.ts';
import { checksum, epoch, txidFormat, txidNext } from '../base/ids.ts';
import type { Checksum, Epoch, Txid, WallMs } from '../base/ids.ts';
import type { Machine } from '../base/ports.ts';
import { LtxDecoder } from '../format/ltx-decoder.ts';
import type { LtxHeader } from '../format/ltx-header.ts';
import type { Archive, LtxFile } from '../storage/archive.ts';
import type { Capture } from './capture.ts';
import { fullRecord } from './chain.ts';
import type { ChainStart } from './chain.ts';
import { continuity } from './continuity.ts';
import type { Decision, Found } from './continuity.ts';
import { mapVisitor } from './difference.ts';
import type { Visitor } from './image.ts';
import { PageMap } from './page-map.ts';
import type { WalPosition } from './position.ts';
import { applySums } from './seal.ts';
import type { LocalState } from './state.ts';

const LINEAGE_BYTES = 8;
const UNKNOWN = checksum(0n);

/** Where replication goes on. */
export interface StartUp {
  readonly chain: ChainStart;
  readonly lineage: string;
  /** `null`: a difference finds out. */
  readonly position: WalPosition | null;
  readonly decision: Decision['do'];
}

interface Head {
  readonly file: LtxFile;
  readonly header: LtxHeader;
}

/** What carrying out a decision yields. */
interface Resumed {
  readonly map: PageMap;
  readonly txid: Txid | null;
  readonly post: Checksum;
  readonly position: WalPosition | null;
}

/**
 * Decides and prepares. Faults: those of `continuity`, `database-differs`, `page-size-changed`, those of the
 * store.
 */
export async function startUp(
  machine: Machine,
  archive: Archive,
  state: LocalState,
  subject: { readonly capture: Capture; readonly isContinue: boolean },
): Promise<StartUp> {
  const { capture, isContinue } = subject;
  const identity = await archive.identity();
  const head = await readHead(archive);
  const lineageFound = identity?.lineages.at(-1) ?? null;
  const found = gather(state, capture, {
    url: archive.url,
    lineage: lineageFound?.id ?? null,
    head,
    isContinue,
  });
  const decision = continuity(found);
  const pageSize = head?.header.pageSize ?? capture.pageSize;
  if (pageSize !== capture.pageSize) throw pageSizeChanged(archive, pageSize, capture.pageSize);
  const next = epochAfter(state.identity?.epochs[0], head?.header.epoch);
  // A state that came with a copy, or from another archive, names the epochs of other databases' writers.
  const isOwn = found.state !== null && found.state.isSameFile && found.state.isSameArchive;
  const epochs = [next, ...(isOwn ? found.state.epochs : [])];
  const lineage =
    lineageFound?.id ?? lineageBegun(state, archive) ?? hex(machine.chance.bytes(LINEAGE_BYTES));
  const resumed = await carryOut(decision, archive, { state, capture, head });
  await state.identify({ lineage, epochs, url: archive.url, ino: `${capture.handle.main.ino}` });
  // In the state first: should the answer be lost, the next start knows the lineage for its own.
  if (lineageFound === null) await createLineage(machine, archive, { id: lineage, pageSize });
  if (resumed.txid !== null && resumed.map.size > 0) {
    await state.rewrite(
      fullRecord(resumed.map, { txid: resumed.txid, pageSize, position: resumed.position }),
    );
  }
  const timestampMs = head?.header.timestampMs ?? (0 as WallMs);
  const chain = {
    map: resumed.map,
    pageSize,
    epochs,
    txid: resumed.txid,
    post: resumed.post,
    timestampMs,
  };
  return { chain, lineage, position: resumed.position, decision: decision.do };
}

async function readHead(archive: Archive): Promise<Head | null> {
  const file = await archive.head();
  return file === null ? null : { file, header: await archive.readHeader(file) };
}

function gather(
  state: LocalState,
  capture: Capture,
  there: { url: string; lineage: string | null; head: Head | null; isContinue: boolean },
): Found {
  const { identity, records } = state;
  const last = records.at(-1);
  const { ino } = capture.handle.main;
  const known =
    identity === null || last === undefined
      ? null
      : {
          lineage: identity.lineage,
          epochs: identity.epochs,
          isSameFile: identity.ino === `${ino}` && last.pageSize === capture.pageSize,
          isSameArchive: identity.url === there.url,
          last,
          before: records.at(-2) ?? null,
        };
  const header = there.head?.header;
  const head =
    header === undefined
      ? null
      : { txid: header.maxTxid, epoch: header.epoch, post: header.rolling?.post ?? null };
  return {
    state: known,
    archive: { url: there.url, lineage: there.lineage, head },
    isContinue: there.isContinue,
  };
}

async function carryOut(
  decision: Decision,
  archive: Archive,
  at: { readonly state: LocalState; readonly capture: Capture; readonly head: Head | null },
): Promise<Resumed> {
  const { state, capture } = at;
  switch (decision.do) {
    case 'begin':
      state.setAside();
      return { map: new PageMap(), txid: null, post: UNKNOWN, position: null };
    case 'overwrite': {
      state.setAside();
      const { maxTxid, rolling } = must(at.head, 'there is a head to go on from').header;
      return { map: new PageMap(), txid: maxTxid, post: rolling?.post ?? UNKNOWN, position: null };
    }
    case 'resume':
    case 'replay': {
      const records = decision.keep === 'all' ? state.records : state.records.slice(0, -1);
      const last = must(records.at(-1), 'a state holds a record');
      const { txid } = last;
      // Before its first frame a log has nothing to be known by: every index of an empty log looks the same.
      const position = last.position?.frames === 0 ? null : last.position;
      const map = replayed(records);
      return decision.do === 'resume'
        ? { map, txid, post: map.rolling, position }
        : await replay(archive, map, txid);
    }
    case 'compare': {
      const adopted = await adopt(archive, capture, must(at.head, 'there is a head to compare with').header);
      // Only now: a refused start changes nothing, so that `restore` still finds the archive by the state.
      state.setAside();
      return adopted;
    }
  }
}

/** The page map that a state's records add up to. */
function replayed(records: LocalState['records']): PageMap {
  const map = new PageMap();
  for (const { sizeMin, size, changed } of records) applySums(map, sizeMin, size, changed);
  const post = records.at(-1)?.post;
  if (post !== undefined && map.rolling !== post) {
    throw new Fault(
      'corrupt',
      'state-unreadable',
      'the page map of the local state does not match its own checksum',
      {
        hint: 'remove the state directory and start again: a database that is the head goes on',
      },
    );
  }
  return map;
}

/** Brings the map forward by our own objects of which the state lost its records (a power loss). */
async function replay(archive: Archive, map: PageMap, after: Txid): Promise<Resumed> {
  let last = after;
  for (const file of await archive.list(0, txidNext(after))) {
    const decoder = new LtxDecoder();
    for (const { pgnos, checksums } of decoder.push(await archive.read(file))) {
      for (const [i, pgno] of pgnos.entries()) map.set(pgno, checksums[i] ?? 0n);
    }
    const { header } = decoder.end();
    map.resize(header.commit);
    if (header.minTxid !== txidNext(last) || map.rolling !== header.rolling?.post) {
      const message = `${file.key} does not continue the state at TXID ${txidFormat(last)}`;
      throw new Fault('corrupt', 'chain-broken', message, {
        hint: 'keep the archive as evidence; `--continue` goes on',
      });
    }
    last = header.maxTxid;
  }
  return { map, txid: last, post: map.rolling, position: null };
}

/**
 * Without a state: the database must be the archive's head, page for page. Its main file alone may be, too:
 * then the commits in its log came after, as when an application wrote to a restored database before Millrace
 * was there.
 */
async function adopt(archive: Archive, capture: Capture, head: LtxHeader): Promise<Resumed> {
  const begin = (): Visitor<PageMap> => mapVisitor(capture.pageSize);
  const post = head.rolling?.post;
  const { value: map, position } = await capture.read(begin);
  if (map.rolling === post) return { map, txid: head.maxTxid, post, position };
  const main = await capture.readMainFile(begin);
  if (main.rolling === post) return { map: main, txid: head.maxTxid, post, position: null };
  const at = `its head is TXID ${txidFormat(head.maxTxid)}`;
  throw new Fault(
    'conflict',
    'database-differs',
    `${archive.url} holds another state than ${capture.handle.path}: ${at}`,
    {
      hint: '`millrace restore` brings back what it holds; `--continue` goes on with this one',
    },
  );
}

/** The lineage that this database's state began in `archive` without coming to a seal. */
function lineageBegun({ identity, records }: LocalState, archive: Archive): string | undefined {
  return records.length === 0 && identity?.url === archive.url ? identity.lineage : undefined;
}

async function createLineage(
  machine: Machine,
  archive: Archive,
  { id, pageSize }: { readonly id: string; readonly pageSize: number },
): Promise<void> {
  const createdMs = machine.clock.wallMs();
  const lineages = [{ id, createdMs, pageSize, prefix: '' }];
  if ((await archive.createIdentity({ format: 1, lineages })) === 'created') return;
  if ((await archive.identity())?.lineages.at(-1)?.id === id) return;
  const message = `another writer began a lineage in ${archive.url} at this moment`;
  throw new Fault('conflict', 'other-writer', message, { hint: 'give each database an archive of its own' });
}

/** Every start of a writer takes a new epoch. */
function epochAfter(...known: readonly (Epoch | undefined)[]): Epoch {
  return epoch(
    known.reduce<bigint>((max, value) => (value !== undefined && value > max ? value : max), 0n) + 1n,
  );
}

function pageSizeChanged(archive: Archive, was: number, is: number): Fault {
  const message = `${archive.url} holds pages of ${was} bytes, the database has pages of ${is}`;
  return new Fault('conflict', 'page-size-changed', message, {
    hint: 'a chain has one page size: replicate to another URL; the old one stays restorable',
  });
}
