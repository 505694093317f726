/**
 * Where a command's words go: results to stdout, everything else to stderr; for people, or as one JSON
 * object a line.
 *
 * With `--json` stdout carries nothing but JSON, and a failure is one JSON line on stderr. In JSON every
 * bigint is 16 hex digits, as TXIDs and checksums are written everywhere; only epochs, which are small, are
 * numbers.
 */

import { isFault, messageOf } from '../base/fault.ts';
import type { Fault } from '../base/fault.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

/** The two streams, as far as they are used. */
export interface Streams {
  readonly out: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly err: { write(text: string): unknown; readonly isTTY?: boolean };
}

/** One JSON line of anything the engine reports. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (typeof part !== 'bigint') return part;
    return key === 'epoch' ? Number(part) : part.toString(16).padStart(16, '0');
  });
}

/** The voice of one command. */
export class Output {
  readonly isJson: boolean;
  /** Whether a person watches: only then is there progress. */
  readonly isLive: boolean;
  readonly #streams: Streams;

  constructor(isJson: boolean, streams: Streams) {
    this.isJson = isJson;
    this.isLive = !isJson && streams.err.isTTY === true;
    this.#streams = streams;
  }

  /** The result: an object for machines, lines for people. */
  result(value: unknown, human: () => readonly string[]): void {
    if (this.isJson) this.#streams.out.write(`${jsonLine(value)}\n`);
    else for (const line of human()) this.#streams.out.write(`${line}\n`);
  }

  /** One JSON line; nothing for people. */
  record(value: unknown): void {
    if (this.isJson) this.#streams.out.write(`${jsonLine(value)}\n`);
  }

  /** One line for people; nothing for machines. */
  line(text: string): void {
    if (!this.isJson) this.#streams.out.write(`${text}\n`);
  }

  /** A remark beside the result, for people. */
  note(text: string): void {
    if (!this.isJson) this.#streams.err.write(`${text}\n`);
  }

  /** Says what went wrong; returns the exit code that says it too: the one of its kind unless given. */
  failure(error: unknown, given?: ExitCode): ExitCode {
    const exitCode = given ?? (isFault(error) ? exitCodeOf(error.kind) : EXIT.bug);
    if (this.isJson) this.#streams.err.write(`${jsonLine({ error: describe(error, exitCode) })}\n`);
    else for (const line of explain(error)) this.#streams.err.write(`${line}\n`);
    return exitCode;
  }
}

function describe(error: unknown, exitCode: ExitCode): Record<string, unknown> {
  if (!isFault(error)) return { kind: 'bug', code: 'bug', message: messageOf(error), exitCode };
  const { kind, code, message, hint, details } = error;
  return { kind, code, message, hint, exitCode, details, causes: causesOf(error) };
}

function explain(error: unknown): string[] {
  if (!isFault(error)) {
    const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return [`millrace: this is a defect in Millrace: ${trace}`];
  }
  const lines = [`millrace: ${error.message} (${error.code})`];
  for (const cause of causesOf(error)) lines.push(`  because: ${cause}`);
  if (error.hint !== undefined) lines.push(`  hint: ${error.hint}`);
  return lines;
}

function causesOf(fault: Fault): string[] {
  const causes: string[] = [];
  let cause = fault.cause;
  while (cause instanceof Error && causes.length < 5) {
    if (!causes.includes(cause.message) && cause.message !== fault.message) causes.push(cause.message);
    cause = cause.cause;
  }
  return causes;
}
