/**
 * A capture rig: the shipped observer on a simulated application, and the state that its takings add up to.
 *
 *     const rig = await CaptureRig.start({ seed: 1, application: { autocheckpoint: 10 } });
 *     rig.app.commit({ pages: [2] });
 *     await rig.pass();
 *     assert.ok(rig.isAtHead());
 */

import { must } from '../../src/base/assert.ts';
import { bytesEqual } from '../../src/base/bytes.ts';
import type { DatabaseHandle } from '../../src/base/ports.ts';
import { readAttached } from '../../src/engine/image.ts';
import type { Visitor } from '../../src/engine/image.ts';
import { Observer } from '../../src/engine/observer.ts';
import type { Pass, Verdicts } from '../../src/engine/observer.ts';
import { OpenTxid } from '../../src/engine/open-txid.ts';
import type { WalPosition } from '../../src/engine/position.ts';
import { SimWorld } from '../../sim/world/world.ts';
import type { ApplicationOptions, SqliteApplication } from '../../sim/world/database.ts';
import type { SimMachine } from '../../sim/world/world.ts';

const IMAGE_BYTES_MAX = 1 << 24;

/** Copies the pages of an image. */
export function copyVisitor(pageSize: number): Visitor<Uint8Array[]> {
  const pages: Uint8Array[] = [];
  return {
    batch({ pgnos, pages: bytes }) {
      for (const [i, pgno] of pgnos.entries())
        pages[pgno - 1] = bytes.slice(i * pageSize, (i + 1) * pageSize);
    },
    value: pages,
  };
}

export interface RigOptions {
  readonly seed: number;
  readonly application?: ApplicationOptions;
  readonly verdicts?: Verdicts | undefined;
}

export class CaptureRig {
  readonly world: SimWorld;
  readonly app: SqliteApplication;
  readonly machine: SimMachine;
  readonly handle: DatabaseHandle;
  readonly open: OpenTxid;
  readonly #verdicts: Verdicts | undefined;
  observer: Observer;
  /** The state that was captured. */
  pages: Uint8Array[] = [];
  /** Commits that were captured one by one, not by a difference. */
  captured = 0;

  private constructor(options: RigOptions) {
    this.world = new SimWorld(options.seed);
    this.app = this.world.application('/data/app.db', options.application ?? {});
    this.machine = this.world.machine(this.world.process('millrace'));
    this.handle = this.machine.databases.open('/data/app.db');
    this.handle.attach();
    this.open = new OpenTxid(this.app.pageSize, 0, IMAGE_BYTES_MAX);
    this.#verdicts = options.verdicts;
    this.observer = this.#observe(null);
  }

  /** A rig that has captured the application's first state. */
  static async start(options: RigOptions): Promise<CaptureRig> {
    const rig = new CaptureRig(options);
    await rig.heal();
    return rig;
  }

  /** One pass, and what it took. */
  async pass(): Promise<Pass> {
    const pass = await this.world.run(this.observer.pass());
    this.#collect();
    return pass;
  }

  /** Reads the whole state. */
  async heal(): Promise<void> {
    const subject = { handle: this.handle, pageSize: this.app.pageSize };
    const reading = await this.world.run(
      readAttached(
        this.machine.clock,
        subject,
        () => copyVisitor(this.app.pageSize),
        async () => {},
      ),
    );
    this.pages = reading.value;
    this.open.restart(reading.size);
    this.observer.moveTo(must(reading.position, 'an attached database has a log'));
  }

  /** Another observer goes on from `position`, as after a restart of the process. */
  resume(position: WalPosition | null): void {
    this.observer = this.#observe(position);
  }

  /** Whether the captured state is the newest committed one. */
  isAtHead(): boolean {
    return this.isState(this.app.state.pages);
  }

  /** Whether the captured state is one that was ever committed. */
  isCommittedState(): boolean {
    return this.app.history.find(this.pages).length > 0;
  }

  isState(pages: readonly Uint8Array[]): boolean {
    return (
      pages.length === this.pages.length &&
      pages.every((page, i) => bytesEqual(page, this.pages[i] ?? new Uint8Array(0)))
    );
  }

  #observe(position: WalPosition | null): Observer {
    const { pageSize } = this.app;
    return new Observer(this.machine.clock, this.handle, this.open, {
      pageSize,
      position,
      verdicts: this.#verdicts,
    });
  }

  #collect(): void {
    const { pages, pgnos, size, commits } = this.open.take();
    this.captured += commits;
    this.pages.length = Math.min(this.pages.length, size);
    for (const pgno of pgnos) {
      const image = pages.get(pgno)?.slice();
      const page = image ?? new Uint8Array(this.app.pageSize);
      if (image === undefined) this.handle.readMain(page, (pgno - 1) * this.app.pageSize);
      this.pages[pgno - 1] = page;
    }
  }
}
