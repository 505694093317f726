/**
 * A model of a disk for unit tests: what was not fsynced may be gone after a power loss, and a machine may
 * stop at any step. Names become durable by fsyncing their directory, contents by fsyncing the file, each
 * by itself.
 */

import { concat } from '../../src/base/bytes.ts';
import { Fault } from '../../src/base/fault.ts';
import type { Closer, Fd, Files, FileStat } from '../../src/base/ports.ts';

interface Node {
  readonly ino: bigint;
  readonly kind: 'file' | 'directory';
  bytes: Uint8Array;
  durable: Uint8Array;
  mtimeMs: number;
}

/** The machine stops here. */
export class DiskStop extends Error {}

/** Names and contents, each as seen and as they would be after a power loss. */
export class Disk implements Files {
  /** What was done so far: `link /a/b`, `fsync`. */
  readonly steps: string[] = [];
  /** The number of the step before which the machine stops. */
  stopAt: number = Number.POSITIVE_INFINITY;
  /** Steps that fail. */
  failAt: { readonly step: RegExp; readonly fault: Fault } | null = null;
  seen: Map<string, Node> = new Map([['/', node(1n, 'directory')]]);
  #durable = new Map(this.seen);
  readonly #open = new Map<Fd, Node>();
  readonly #locks = new Set<string>();
  #count = 1;

  /** What is left after a power loss: all that was made durable, and of the rest what `keeps` says. */
  loseAll(keeps: () => boolean): void {
    const paths = [...new Set([...this.seen.keys(), ...this.#durable.keys()])].toSorted();
    const left = new Map<string, Node>();
    for (const path of paths) {
      const survivor = keeps() ? this.seen.get(path) : this.#durable.get(path);
      const hasParent = path === '/' || left.has(dirOf(path));
      if (survivor === undefined || !hasParent) continue;
      const bytes = remainder(survivor, keeps);
      left.set(path, { ...survivor, bytes, durable: bytes });
    }
    this.seen = left;
    this.#durable = new Map(left);
    this.restart();
  }

  /** Another process on the same disk. */
  restart(): void {
    this.stopAt = Number.POSITIVE_INFINITY;
    this.#open.clear();
    this.#locks.clear();
  }

  stat(path: string): FileStat | null {
    const found = this.seen.get(path);
    if (found === undefined) return null;
    const { kind, ino, mtimeMs, bytes } = found;
    return { kind, ino, mtimeMs, size: bytes.length, dev: 1n, mode: 0o600, uid: 0, gid: 0 };
  }
  list(dir: string): readonly string[] | null {
    if (this.seen.get(dir)?.kind !== 'directory') return null;
    const names = [...this.seen.keys()].filter((path) => path !== '/' && dirOf(path) === dir);
    return names.map((path) => path.slice(path.lastIndexOf('/') + 1)).toSorted();
  }
  async mkdir(dir: string): Promise<void> {
    if (this.seen.has(dir)) return;
    await this.mkdir(dirOf(dir));
    this.#step(`mkdir ${dir}`);
    this.seen.set(dir, node(BigInt(++this.#count), 'directory'));
    await this.fsyncDir(dirOf(dir));
  }
  open(path: string, how: 'read' | 'write' | 'create'): Fd {
    this.#step(`${how} ${path}`);
    if (how === 'create') {
      if (!this.seen.has(dirOf(path))) throw new Fault('invalid', 'file-missing', path);
      this.seen.set(path, node(BigInt(++this.#count), 'file'));
    }
    const fd = ++this.#count as Fd;
    this.#open.set(fd, this.seen.get(path) ?? fail(`${path} is missing`));
    return fd;
  }
  size(fd: Fd): number {
    return this.#at(fd).bytes.length;
  }
  read(fd: Fd, into: Uint8Array, at: number): number {
    const part = this.#at(fd).bytes.subarray(at, at + into.length);
    into.set(part);
    return part.length;
  }
  write(fd: Fd, bytes: Uint8Array, at: number): void {
    this.#step('write');
    const file = this.#at(fd);
    file.bytes = concat([file.bytes.slice(0, at), bytes]);
  }
  truncate(fd: Fd, size: number): void {
    const file = this.#at(fd);
    file.bytes = file.bytes.slice(0, size);
  }
  async fsync(fd: Fd): Promise<void> {
    const file = this.#at(fd);
    this.#step('fsync');
    await Promise.resolve();
    file.durable = file.bytes;
  }
  close(fd: Fd): void {
    this.#open.delete(fd);
  }
  link(from: string, to: string): boolean {
    this.#step(`link ${to}`);
    if (this.seen.has(to)) return false;
    this.seen.set(to, this.seen.get(from) ?? fail(`${from} is missing`));
    return true;
  }
  rename(from: string, to: string): void {
    this.#step(`rename ${to}`);
    this.seen.set(to, this.seen.get(from) ?? fail(`${from} is missing`));
    this.seen.delete(from);
  }
  remove(path: string): boolean {
    this.#step(`remove ${path}`);
    return this.seen.delete(path);
  }
  touch(path: string, mtimeMs: number): void {
    this.#step('touch');
    (this.seen.get(path) ?? fail(`${path} is missing`)).mtimeMs = mtimeMs;
  }
  own(): void {}
  async fsyncDir(dir: string): Promise<void> {
    this.#step(`fsyncDir ${dir}`);
    await Promise.resolve();
    const isIn = (path: string): boolean => path !== '/' && dirOf(path) === dir;
    for (const path of [...this.#durable.keys()].filter(isIn))
      if (!this.seen.has(path)) this.#durable.delete(path);
    for (const [path, entry] of this.seen) if (isIn(path)) this.#durable.set(path, entry);
  }
  freeBytes(): number {
    return 1e9;
  }
  lock(path: string): Closer | null {
    if (this.#locks.has(path)) return null;
    this.#locks.add(path);
    return { close: () => void this.#locks.delete(path) };
  }

  #step(step: string): void {
    if (this.steps.length >= this.stopAt) throw new DiskStop(step);
    this.steps.push(step);
    if (this.failAt?.step.test(step) === true) throw this.failAt.fault;
  }
  #at(fd: Fd): Node {
    return this.#open.get(fd) ?? fail(`descriptor ${fd} is not open`);
  }
}

function node(ino: bigint, kind: 'file' | 'directory'): Node {
  return { ino, kind, bytes: new Uint8Array(0), durable: new Uint8Array(0), mtimeMs: 0 };
}

function dirOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

function fail(message: string): never {
  throw new Fault('invalid', 'file-missing', message);
}

function remainder({ bytes, durable }: Node, keeps: () => boolean): Uint8Array {
  if (bytes === durable || keeps()) return bytes;
  return keeps() ? bytes.slice(0, Math.floor(bytes.length / 2)) : durable;
}
