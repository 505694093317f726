/**
 * The observer: follows the commits of a database that other processes write, without a lock.
 *
 * A pass reads the WAL-index header and takes the frames of every commit since its position into the open
 * TXID, or says `gap` where it cannot prove that it has all of them and nothing else. After a gap the open
 * TXID and the position mean nothing: only a difference (or the snapshot that a first difference is) brings
 * the observer back.
 *
 *   old log  ████████████│▒▒▒▒▒▒▒▒░░░░      ▒ tail: committed, E of them   ░ ghosts: never committed
 *                        position
 *   new log  ████████│                      n commits; E = iChange now − iChange then − n
 */

import { assert, must } from '../base/assert.ts';
import { bytesEqual, concat } from '../base/bytes.ts';
import type { WallMs } from '../base/ids.ts';
import type { Clock, DatabaseHandle } from '../base/ports.ts';
import { Slices } from '../base/task.ts';
import type { WalIndex } from '../format/wal-index.ts';
import { FrameRun } from './frame-run.ts';
import { LogReader } from './log-reader.ts';
import type { LogChain } from './log-reader.ts';
import type { OpenTxid } from './open-txid.ts';
import { sameGeneration } from './position.ts';
import type { WalPosition } from './position.ts';
import { restartVerdict, sameLogVerdict } from './proof.ts';
import type { CommitCount } from './proof.ts';

export const LIMITS = { tailBytesMax: 67_108_864, restartsPerPassMax: 4 } as const;

/**
 * What one pass found. `asOfMs`: every commit acknowledged before it is in the open TXID (or was already).
 */
export type Pass =
  | { readonly found: 'nothing'; readonly asOfMs: WallMs }
  | { readonly found: 'commits'; readonly asOfMs: WallMs }
  | { readonly found: 'torn' }
  | { readonly found: 'gap'; readonly reason: string };

/** How an attempt to read one generation of the log ended. */
type Step = 'complete' | 'overtaken' | { readonly gap: string };

/** The verdicts, which a test may exchange to see that their absence is noticed. */
export interface Verdicts {
  readonly sameLog: typeof sameLogVerdict;
  readonly restart: typeof restartVerdict;
}

const VERDICTS: Verdicts = { sameLog: sameLogVerdict, restart: restartVerdict };

export class Observer {
  readonly #clock: Clock;
  readonly #pageSize: number;
  readonly #reader: LogReader;
  readonly #open: OpenTxid;
  readonly #verdicts: Verdicts;
  #position: WalPosition | null;
  #seen: Uint8Array | null = null;
  #frames = 0;
  #logFrames = 0;

  /** Observes an attached handle from `position` on; `null` asks for a difference first. */
  constructor(
    clock: Clock,
    handle: DatabaseHandle,
    open: OpenTxid,
    from: {
      readonly pageSize: number;
      readonly position: WalPosition | null;
      readonly verdicts?: Verdicts | undefined;
    },
  ) {
    assert(handle.attached, 'an observer needs an attached handle');
    this.#clock = clock;
    this.#pageSize = from.pageSize;
    this.#reader = new LogReader(handle, from.pageSize);
    this.#open = open;
    this.#position = from.position;
    this.#verdicts = from.verdicts ?? VERDICTS;
  }

  /** The position behind the newest commit in the open TXID; `null` in a gap. */
  get position(): WalPosition | null {
    return this.#position;
  }

  /** Frames that the last pass took, and the length of the log when it restarted last (0: it never did). */
  get traffic(): { readonly frames: number; readonly logFrames: number } {
    return { frames: this.#frames, logFrames: this.#logFrames };
  }

  /** Goes on from a position that a difference established. */
  moveTo(position: WalPosition): void {
    this.#position = position;
    this.#seen = null;
  }

  /** Forgets the position: what follows needs a difference. */
  lose(): void {
    this.#position = null;
    this.#open.dropPending();
  }

  /** One pass: at most 136 bytes are read where nothing was committed. */
  async pass(): Promise<Pass> {
    const asOfMs = this.#clock.wallMs();
    if (this.#position === null) return { found: 'gap', reason: 'the position in the log is not known' };
    const commitsBefore = this.#open.commits;
    this.#frames = 0;
    for (let restarts = 0; restarts < LIMITS.restartsPerPassMax; restarts++) {
      const header = this.#reader.index();
      if (header === null) return { found: 'torn' };
      if (this.#isSeen(header.raw48)) return { found: 'nothing', asOfMs };
      const step = await this.#advance(header);
      if (step === 'complete') {
        this.#seen = header.raw48;
        return { found: this.#open.commits > commitsBefore ? 'commits' : 'nothing', asOfMs };
      }
      if (step !== 'overtaken') return this.#gap(step.gap);
    }
    return this.#gap('the log restarted again and again while it was read');
  }

  #gap(reason: string): Pass {
    this.lose();
    return { found: 'gap', reason };
  }

  #isSeen(raw48: Uint8Array): boolean {
    const seen = this.#seen;
    return seen !== null && bytesEqual(seen, raw48);
  }

  async #advance(header: WalIndex): Promise<Step> {
    const position = must(this.#position, 'a pass has a position');
    if (header.pageSize !== 0 && header.pageSize !== this.#pageSize) return { gap: 'the page size changed' };
    if (!sameGeneration(header, position)) {
      const crossed = await this.#cross(header, position);
      if (crossed !== 'complete') return crossed;
    }
    return this.#follow(header);
  }

  /** Takes the commits from the position to `header.mxFrame`, in the generation that both share. */
  async #follow(header: WalIndex): Promise<Step> {
    const from = must(this.#position, 'a pass has a position');
    if (header.mxFrame < from.frames)
      return { gap: `the log fell back from ${from.frames} to ${header.mxFrame} frames` };
    let chain: LogChain | null = from.frames > 0 ? { ...from, seed: from.checksum } : null;
    if (chain === null && header.mxFrame > 0) chain = this.#reader.start(header);
    const counted = { commits: 0, suspects: 0 };
    const slices = new Slices(this.#clock);
    for (let at = from.frames; at < header.mxFrame;) {
      const read = chain === null ? null : this.#reader.frames(chain, at, header.mxFrame);
      if (read === null || read.run.count === 0) return this.#broken(header);
      this.#absorb(read.run, at, counted);
      at += read.run.count;
      chain = read.next;
      await slices.breathe();
    }
    return this.#settle(header, from, counted);
  }

  /** Absorbs a run that begins at frame `at`; the position follows to its last commit. */
  #absorb(run: FrameRun, at: number, counted: { commits: number; suspects: number }): void {
    const here = must(this.#position, 'a pass has a position');
    const { commits, suspects } = this.#open.absorb(run);
    this.#frames += run.count;
    counted.commits += commits;
    counted.suspects += suspects;
    const end = run.committedEnd();
    if (end === 0) return;
    const iChange = here.iChange === null || counted.suspects > 0 ? null : (here.iChange + commits) >>> 0;
    this.#position = { ...here, frames: at + end, checksum: run.checksum(end - 1), iChange };
  }

  /** At `mxFrame`: the chain must end in the header's own checksum, and the counter must agree. */
  #settle(header: WalIndex, from: WalPosition, counted: CommitCount): Step {
    const here = must(this.#position, 'a pass has a position');
    const { s0, s1 } = header.frameChecksum;
    if (here.frames !== header.mxFrame)
      return { gap: `frame ${header.mxFrame} ends the log, but no transaction` };
    if (here.frames > 0 && (here.checksum.s0 !== s0 || here.checksum.s1 !== s1)) {
      return {
        gap: `the chain at frame ${header.mxFrame} does not end in the checksum that the index names`,
      };
    }
    const verdict = this.#verdicts.sameLog(from.iChange, header.iChange, counted);
    if ('gap' in verdict) return verdict;
    this.#open.recount(verdict.proved.commits - counted.commits);
    this.#position = { ...here, bigEndian: header.bigEndian, iChange: verdict.proved.iChange };
    return 'complete';
  }

  /** The chain broke before `mxFrame`: either the log restarted under the reading, or it is damaged. */
  #broken(header: WalIndex): Step {
    this.#open.dropPending();
    const again = this.#reader.index();
    if (again === null || !sameGeneration(again, header)) return 'overtaken';
    const frames = must(this.#position, 'a pass has a position').frames;
    return { gap: `the chain breaks behind frame ${frames}, before frame ${header.mxFrame}` };
  }

  /**
   * The log has other salts: proves how many commits of the old tail are real, takes them, and moves to the
   * start of the log that `header` describes. The tail is read first, since it is being overwritten.
   */
  async #cross(header: WalIndex, position: WalPosition): Promise<Step> {
    this.#open.dropPending();
    const oneRestart = header.salt1 === (position.salt1 + 1) >>> 0;
    const tail = await this.#tail(position);
    const found = await this.#count(header);
    if (found === null) return 'overtaken';
    const verdict = this.#verdicts.restart({
      iChangeThen: position.iChange,
      iChangeNow: header.iChange,
      oneRestart,
      isClean: !this.#reader.hasOlderFrame(header),
      found,
      tail: tail.countCommits(null),
    });
    if ('gap' in verdict) return verdict;
    this.#open.absorb(tail.firstCommits(verdict.proved.take));
    this.#logFrames = position.frames + tail.count;
    const { bigEndian, salt1, salt2 } = header;
    const iChange = (header.iChange - found.commits) >>> 0;
    this.#position = { bigEndian, salt1, salt2, frames: 0, checksum: { s0: 0, s1: 0 }, iChange };
    return 'complete';
  }

  /** What is left of the old log behind the position: complete commits that continue its chain, as a copy. */
  async #tail(position: WalPosition): Promise<FrameRun> {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    // Before the first frame the seed is that of a header which is overwritten by now: such a tail cannot be
    // verified.
    let chain: LogChain = { ...position, seed: position.checksum };
    const slices = new Slices(this.#clock);
    for (let at = position.frames; at > 0 && bytes < LIMITS.tailBytesMax;) {
      const { run, next } = this.#reader.frames(chain, at, Infinity);
      if (run.count === 0) break;
      parts.push(run.bytes.slice());
      bytes += run.bytes.length;
      at += run.count;
      chain = next;
      await slices.breathe();
    }
    const run = new FrameRun(concat(parts), this.#pageSize);
    return run.first(run.committedEnd());
  }

  /**
   * Counts the commits of the log that `header` describes, all verified; `null` if it restarted meanwhile.
   */
  async #count(header: WalIndex): Promise<CommitCount | null> {
    const counted = { commits: 0, suspects: 0 };
    if (header.mxFrame === 0) return counted;
    let chain = this.#reader.start(header);
    let last: Uint8Array | null = null;
    const slices = new Slices(this.#clock);
    for (let at = 0; at < header.mxFrame;) {
      const read = chain === null ? null : this.#reader.frames(chain, at, header.mxFrame);
      if (read === null || read.run.count === 0) return null;
      const { commits, suspects } = read.run.countCommits(last);
      counted.commits += commits;
      counted.suspects += suspects;
      last = read.run.commit(read.run.count - 1) === 0 ? null : read.run.copy(read.run.count - 1);
      at += read.run.count;
      chain = read.next;
      await slices.breathe();
    }
    return counted;
  }
}
