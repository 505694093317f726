/**
 * A session: one file and one archive, from the moment that continuity is settled until either changes.
 *
 * `step` looks for commits and, where something is due and nothing is in flight, starts to seal and upload
 * beside the looking. Passes are numbered: whoever waits for durability waits for a pass that began after he
 * asked.
 */

import { Bug, assert } from '../base/assert.ts';
import { Fault } from '../base/fault.ts';
import type { WallMs } from '../base/ids.ts';
import type { Clock, Machine } from '../base/ports.ts';
import type { Archive } from '../storage/archive.ts';
import { Capture } from './capture.ts';
import type { CaptureOptions } from './capture.ts';
import { Chain } from './chain.ts';
import type { Durable, SealedState } from './chain.ts';
import { differenceVisitor } from './difference.ts';
import type { WalPosition } from './position.ts';
import { LIMITS as SCHEDULE, passMs, sealDueMs } from './schedule.ts';
import type { Seal } from './seal.ts';
import { startUp } from './start-up.ts';
import type { StartUp } from './start-up.ts';
import { LocalState } from './state.ts';

export const LIMITS = {
  /** A difference may take a tenth of a core, and one upload interval apart. */
  differenceShare: 0.1,
  statMs: 5_000,
  /** Writing the index's header takes microseconds: longer, and its writer is dead, or stopped. */
  tornMs: 100,
} as const;

export interface SessionOptions extends CaptureOptions {
  readonly isContinue: boolean;
  readonly uploadIntervalMs: number;
  readonly idleFlushMs: number;
  readonly sealBytesMax: number;
  readonly onDurable: (durable: Durable) => void;
  readonly onGap: (reason: string) => void;
  /** Rung when something that was in flight has ended. */
  readonly onProgress: () => void;
}

/** What a step leaves: `busy` commits keep coming · `held` a gap has to wait · `quiet` nothing was to see. */
export type StepResult = 'busy' | 'held' | 'quiet';

export class Session {
  readonly start: StartUp;
  readonly #clock: Clock;
  readonly #capture: Capture;
  readonly #chain: Chain;
  readonly #state: LocalState;
  readonly #options: SessionOptions;
  readonly #abort = new AbortController();
  #inFlight: Promise<void> | null = null;
  #failure: Error | null = null;
  #gap: string | null = null;
  #differenceNotBeforeMs = 0;
  #statMs = 0;
  #openedMs: number | null = null;
  #sealedMs: number | null = null;
  /** Behind the newest sealed commit. */
  #sealedTo: WalPosition | null;
  #asOfMs: WallMs;
  #passMs: number = SCHEDULE.passMsMin;
  #passedMs = 0;
  #tornSinceMs: number | null = null;
  #begun = 0;
  #captured = 0;
  #durablePass = 0;
  #waitedFor = 0;

  private constructor(machine: Machine, capture: Capture, state: LocalState, parts: SessionParts) {
    this.#clock = machine.clock;
    this.#capture = capture;
    this.#state = state;
    this.start = parts.start;
    this.#chain = new Chain(machine, parts.archive, state, parts.start.chain);
    this.#options = parts.options;
    this.#sealedTo = parts.start.position;
    this.#asOfMs = machine.clock.wallMs();
    capture.start({ size: parts.start.chain.map.size, position: parts.start.position });
  }

  /**
   * Opens database and state and settles continuity. Faults: those of `Capture.open`, `LocalState.open`,
   * `startUp`.
   */
  static async open(
    machine: Machine,
    database: string,
    archive: Archive,
    options: SessionOptions,
  ): Promise<Session> {
    const capture = Capture.open(machine, database, options);
    let state: LocalState | null = null;
    try {
      state = await LocalState.open(machine.files, capture.handle.path);
      const start = await startUp(machine, archive, state, { capture, isContinue: options.isContinue });
      return new Session(machine, capture, state, { archive, start, options });
    } catch (error) {
      capture.close();
      state?.close();
      throw error;
    }
  }

  /** Why the state has to be read whole, or `null`. */
  get gap(): string | null {
    return this.#gap;
  }

  /** What was in flight failed: only another session can go on. */
  get isBroken(): boolean {
    return this.#failure !== null;
  }

  get openCommits(): number {
    return this.#capture.open.commits;
  }

  /** The number that a pass must have so that everything committed by the time of this call is in it. */
  ticket(): number {
    return this.#begun + 1;
  }

  /** Whether everything that pass `ticket` could see is durable. */
  isDurable(ticket: number): boolean {
    return this.#durablePass >= ticket;
  }

  /** Somebody waits for durability: seal as soon as nothing is in flight. Returns the end of the waiting. */
  hurry(): () => void {
    this.#waitedFor++;
    return () => this.#waitedFor--;
  }

  /** Looks for commits, and starts what is due. Faults of the database, the store, or `database-replaced`. */
  async step(): Promise<StepResult> {
    if (this.#failure !== null) throw this.#failure;
    this.#stat();
    const begun = ++this.#begun;
    const pass = await this.#capture.pass();
    if (pass.found === 'torn') return this.#torn();
    this.#tornSinceMs = null;
    if (pass.found === 'gap') await this.#heal(pass.reason, begun);
    else this.#passed(begun, pass.asOfMs);
    if (this.#capture.open.overflowed) this.#capture.lose();
    this.#sealIfDue();
    if (this.#captured === begun && this.#isSettled()) this.#durablePass = begun;
    if (this.#gap !== null) return 'held';
    return pass.found === 'commits' ? 'busy' : 'quiet';
  }

  /** How long the next step may wait after one that was `result`. */
  pauseMs(result: StepResult): number {
    if (result === 'busy') return this.#passMs;
    const dueMs = this.#inFlight === null ? this.#dueMs() : null;
    const healMs =
      this.#gap === null || this.#inFlight !== null
        ? null
        : this.#differenceNotBeforeMs - this.#clock.monoMs();
    return Math.max(1, Math.min(LIMITS.statMs, dueMs ?? LIMITS.statMs, healMs ?? LIMITS.statMs));
  }

  /**
   * Ends the session. What is in flight is given up: its outcome is not known, the next start asks the
   * archive.
   */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#inFlight;
    this.#capture.close();
    this.#state.close();
  }

  #stat(): void {
    const now = this.#clock.monoMs();
    if (this.#capture.isAttached && now < this.#statMs) return;
    this.#statMs = now + LIMITS.statMs;
    if (this.#capture.isReplaced()) {
      throw new Fault(
        'conflict',
        'database-replaced',
        `${this.#capture.handle.path} is another file than it was`,
      );
    }
    this.#capture.attach();
  }

  /** The header is being written, or whoever wrote it died doing so. */
  #torn(): StepResult {
    const now = this.#clock.monoMs();
    this.#tornSinceMs ??= now;
    if (now - this.#tornSinceMs >= LIMITS.tornMs) this.#capture.recoverIndex();
    return 'busy';
  }

  #passed(begun: number, asOfMs: WallMs): void {
    const now = this.#clock.monoMs();
    this.#gap = null;
    this.#captured = begun;
    this.#asOfMs = asOfMs;
    if (this.#capture.open.commits > 0) this.#openedMs ??= now;
    const { frames, logFrames } = this.#capture.traffic;
    this.#passMs = passMs({ frames, elapsedMs: now - this.#passedMs, logFrames });
    this.#passedMs = now;
  }

  /**
   * After a gap: reads the whole state, as soon as the upload before is done and its share of the core allows
   * it.
   */
  async #heal(reason: string, begun: number): Promise<void> {
    if (this.#gap === null) this.#options.onGap(reason);
    this.#gap = reason;
    this.#openedMs = null;
    const beganMs = this.#clock.monoMs();
    const isHeld = this.#waitedFor === 0 && beganMs < this.#differenceNotBeforeMs;
    if (this.#inFlight !== null || isHeld) return;
    const { map, pageSize } = this.#chain;
    const reading = await this.#capture
      .read(() => differenceVisitor(map, pageSize))
      .finally(() => {
        const restMs = (this.#clock.monoMs() - beganMs) * (1 / LIMITS.differenceShare - 1);
        this.#differenceNotBeforeMs = this.#clock.monoMs() + restMs;
      });
    const now = this.#clock.monoMs();
    this.#differenceNotBeforeMs = Math.max(this.#differenceNotBeforeMs, now + this.#options.uploadIntervalMs);
    this.#gap = null;
    this.#captured = begun;
    this.#asOfMs = reading.asOfMs;
    if (this.#capture.open.commits > 0) this.#openedMs = now;
    const { value: seal, size, position: to } = reading;
    const sizeMin = Math.min(map.size, size);
    const isSame = seal.pages === 0 && size === map.size;
    this.#sealedTo = to;
    if (isSame) return;
    const state = { size, sizeMin, commits: 0, from: null, to, asOfMs: reading.asOfMs };
    this.#launch(this.#extend(Promise.resolve(seal), state, begun));
  }

  #sealIfDue(): void {
    if (this.#inFlight !== null || !this.#capture.isWhole || this.#dueMs() !== 0) return;
    const { open, position } = this.#capture;
    const taken = open.take();
    const { size, sizeMin, commits } = taken;
    const state = { size, sizeMin, commits, from: this.#sealedTo, to: position, asOfMs: this.#asOfMs };
    this.#sealedTo = position;
    this.#openedMs = null;
    const seal = this.#capture.seal(taken).finally(() => open.recycle(taken));
    this.#launch(this.#extend(seal, state, this.#captured));
  }

  async #extend(sealing: Promise<Seal>, state: SealedState, upTo: number): Promise<void> {
    const durable = await this.#chain.extend(await sealing, state, this.#abort.signal);
    this.#durablePass = Math.max(this.#durablePass, upTo);
    this.#options.onDurable(durable);
  }

  #launch(work: Promise<void>): void {
    assert(this.#inFlight === null, 'one seal in flight');
    this.#sealedMs = this.#clock.monoMs();
    this.#inFlight = work
      .catch((error: unknown) => {
        this.#failure = error instanceof Error ? error : new Bug(String(error));
      })
      .finally(() => {
        this.#inFlight = null;
        this.#options.onProgress();
      });
  }

  #isSettled(): boolean {
    return (
      this.#inFlight === null &&
      this.#gap === null &&
      this.#capture.open.commits === 0 &&
      this.#failure === null
    );
  }

  #dueMs(): number | null {
    return sealDueMs({
      nowMs: this.#clock.monoMs(),
      openedMs: this.#openedMs,
      sealedMs: this.#sealedMs,
      isWaitedFor: this.#waitedFor > 0,
      isFull: this.#capture.open.imageBytes >= this.#options.sealBytesMax,
      uploadIntervalMs: this.#options.uploadIntervalMs,
      idleFlushMs: this.#options.idleFlushMs,
    });
  }
}

/** What a session is made of. */
interface SessionParts {
  readonly archive: Archive;
  readonly start: StartUp;
  readonly options: SessionOptions;
}
