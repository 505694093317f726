/** What a pool and its workers say to each other, and how errors and buffers cross between threads. */

import { Bug } from '../base/assert.ts';
import { Fault, messageOf, type FaultKind } from '../base/fault.ts';

/** Run the job `name`. */
export interface JobRequest {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

/** What came of job `id`. */
export type JobAnswer =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly error: WireError };

/** An error as plain data: classes do not survive the way between threads. */
export interface WireError {
  readonly fault?: {
    readonly kind: FaultKind;
    readonly code: string;
    readonly hint?: string;
    readonly details: Readonly<Record<string, string | number | boolean>>;
  };
  readonly message: string;
  readonly stack: string;
}

/** The plain data of anything that was thrown. */
export function errorEncode(error: unknown): WireError {
  const plain = {
    message: messageOf(error),
    stack: (error instanceof Error ? error.stack : undefined) ?? '',
  };
  if (!(error instanceof Fault)) return plain;
  const { kind, code, hint, details } = error;
  return { ...plain, fault: { kind, code, details, ...(hint === undefined ? {} : { hint }) } };
}

/** A Fault for a Fault; everything else that a job throws is a Bug in it. */
export function errorDecode(wire: WireError): Fault | Bug {
  const { fault } = wire;
  if (fault === undefined) {
    const bug = new Bug(wire.message);
    bug.stack = wire.stack;
    return bug;
  }
  return new Fault(fault.kind, fault.code, wire.message, {
    details: fault.details,
    ...(fault.hint === undefined ? {} : { hint: fault.hint }),
  });
}

/**
 * The buffers of an output, to be moved instead of copied: those that an array in it covers whole. A part of
 * a buffer is copied, since the rest may belong to somebody else.
 */
export function buffersOf(output: unknown): readonly ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth === 0) return;
    if (value instanceof ArrayBuffer) buffers.add(value);
    else if (!ArrayBuffer.isView(value)) Object.values(value).forEach((part) => visit(part, depth - 1));
    else if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength) {
      buffers.add(value.buffer);
    }
  };
  visit(output, LIMITS.depthMax);
  return [...buffers];
}

/** How deep in an output its buffers are looked for. */
export const LIMITS = { depthMax: 4 } as const;
