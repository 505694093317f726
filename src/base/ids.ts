/**
 * The numbers that must not be mixed up, each with a brand of its own.
 *
 * 64-bit values are bigint (`Txid`, `Checksum`, `Epoch` for its kinship with them); page numbers, offsets and
 * sizes are numbers with range assertions; wall and monotonic time cannot be subtracted from each other.
 */

import { assert } from './assert.ts';
import { Fault } from './fault.ts';

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** The number of one sealed batch of commits, 1 … 2⁶³−1. */
export type Txid = Brand<bigint, 'Txid'>;
/**
 * The number that fences writers: grows with every start of a writer, 0 … 2³²−1. 0 is a writer without
 * epochs.
 */
export type Epoch = Brand<bigint, 'Epoch'>;
/** A 64-bit checksum: of an LTX file, a page, or a whole database (then bit 63 is set). */
export type Checksum = Brand<bigint, 'Checksum'>;
/** A 1-based page number, 1 … 2³²−2. */
export type Pgno = Brand<number, 'Pgno'>;
/** Milliseconds since 1970 by the wall clock, which may jump. */
export type WallMs = Brand<number, 'WallMs'>;
/** Milliseconds by a clock that only runs forward; only differences mean anything. */
export type MonoMs = Brand<number, 'MonoMs'>;

export const TXID_MAX: Txid = ((1n << 63n) - 1n) as Txid;
export const PGNO_MAX = 0xffff_fffe;

/** A Txid, asserted to be in range. */
export function txid(value: bigint | number): Txid {
  const wide = BigInt(value);
  assert(wide >= 1n && wide <= TXID_MAX, () => `TXID out of range: ${wide}`);
  return wide as Txid;
}

/** The TXID that follows. */
export function txidNext(value: Txid): Txid {
  return txid(value + 1n);
}

/** 16 lower-case hex digits: text order is numeric order. */
export function txidFormat(value: Txid): string {
  return value.toString(16).padStart(16, '0');
}

/** Reads a TXID as people type it: 1 to 16 hex digits. Throws Fault `txid-malformed`. */
export function txidParse(text: string): Txid {
  const value = /^[0-9a-f]{1,16}$/i.test(text) ? BigInt(`0x${text}`) : 0n;
  if (value < 1n || value > TXID_MAX) {
    throw new Fault('invalid', 'txid-malformed', `"${text}" is not a TXID`, {
      hint: 'a TXID is 1 to 16 hexadecimal digits, such as 000000000000001f; `millrace ls URL` lists them',
    });
  }
  return value as Txid;
}

/** An Epoch, asserted to be in range. */
export function epoch(value: bigint | number): Epoch {
  const wide = BigInt(value);
  assert(wide >= 0n && wide <= 0xffff_ffffn, () => `epoch out of range: ${wide}`);
  return wide as Epoch;
}

/** A Pgno, asserted to be in range. */
export function pgno(value: number): Pgno {
  assert(
    Number.isInteger(value) && value >= 1 && value <= PGNO_MAX,
    () => `page number out of range: ${value}`,
  );
  return value as Pgno;
}

/** A Checksum of 64 bits. */
export function checksum(value: bigint): Checksum {
  assert(value >= 0n && value < 1n << 64n, () => `checksum out of range: ${value}`);
  return value as Checksum;
}

/** 16 lower-case hex digits. */
export function checksumFormat(value: Checksum): string {
  return value.toString(16).padStart(16, '0');
}
