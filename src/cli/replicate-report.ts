/**
 * What `millrace replicate` says while it works: JSON lines for machines; for people what they would act
 * on.
 */

import { txidFormat } from '../base/ids.ts';
import type { Txid } from '../base/ids.ts';
import type { ReplicateEvent } from '../engine/replicate-options.ts';
import { bytesFigure, momentFigure, plural } from './figures.ts';
import type { Output } from './output.ts';
import type { LiveLine } from './progress.ts';

/** Without a terminal, so long between two lines that say that all is well. */
export const LIMITS = { quietMs: 60_000 } as const;

type Durable = Extract<ReplicateEvent, { readonly event: 'durable' }>;

export class ReplicateReport {
  readonly #output: Output;
  readonly #live: LiveLine;
  #saidMs = -LIMITS.quietMs;
  #waiting: string | null = null;
  #newest: Txid | null = null;
  #isReading = false;
  #uploads = 0;
  #commits = 0;
  #bytes = 0;

  constructor(output: Output, live: LiveLine) {
    this.#output = output;
    this.#live = live;
  }

  /** Whether the whole database is being read: from a gap to the upload that closes it. */
  get isReading(): boolean {
    return this.#isReading;
  }

  beginning(database: string, url: string): void {
    this.#output.note(`Replicating ${database} to ${url}`);
  }

  event(event: ReplicateEvent): void {
    if (event.event === 'waiting' && event.reason === this.#waiting) return;
    this.#waiting = event.event === 'waiting' ? event.reason : null;
    this.#output.record(event);
    switch (event.event) {
      case 'durable':
        this.#durable(event);
        return;
      case 'waiting':
        this.#say(`waiting: ${event.reason}`);
        return;
      case 'gap':
        this.#isReading = true;
        if (this.#newest === null) this.#say(`reading the whole database: ${event.reason}`);
        else this.#say(`gap: ${event.reason}; the pages that differ make up for it`);
        return;
      case 'started':
      case 'trouble':
        // The beginning was announced, and trouble is in the log.
        return;
    }
  }

  ending(signal: string): void {
    this.#say(`${signal}: making durable what is committed; a second signal stops at once`);
  }

  ended(): void {
    const txid = this.#newest;
    this.#output.record({
      event: 'ended',
      txid,
      uploads: this.#uploads,
      commits: this.#commits,
      bytes: this.#bytes,
    });
    const newest = txid === null ? 'nothing was to be uploaded' : `the newest TXID is ${txidFormat(txid)}`;
    this.#say(`everything committed is durable: ${newest}`);
  }

  #durable(event: Durable): void {
    this.#newest = event.txid;
    this.#isReading = false;
    this.#uploads++;
    this.#commits += event.commits;
    this.#bytes += event.bytes;
    const figures = `${plural(this.#commits, 'commit')}, ${bytesFigure(this.#bytes)}`;
    const text = `durable: everything before ${momentFigure(event.walMs)} · ${figures}`;
    const nowMs = performance.now();
    if (this.#output.isLive) this.#live.show(text);
    else if (nowMs - this.#saidMs >= LIMITS.quietMs) {
      this.#saidMs = nowMs;
      this.#output.note(text);
    }
  }

  #say(text: string): void {
    this.#live.clear();
    this.#output.note(text);
  }
}
