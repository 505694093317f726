/**
 * The log of this machine: pino, to standard error, without transports (they start threads).
 *
 * One JSON object a line for programs; one line of text for people at a terminal. Writes are synchronous: the
 * last words of a dying process are there.
 */

import { destination, pino, stdTimeFunctions, type DestinationStream } from 'pino';

import type { Log, LogFields, LogLevel } from '../base/log.ts';

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** Where lines go; standard error unless given. */
  readonly to?: { write(line: string): void };
}

/** A Log of this machine. */
export function hostLog(options: LogOptions): Log {
  const to = options.to ?? standardError();
  const stream = options.format === 'json' ? to : { write: (line: string) => to.write(logLine(line)) };
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  return {
    debug: (message, fields) => logger.debug(plain(fields), message),
    info: (message, fields) => logger.info(plain(fields), message),
    warn: (message, fields) => logger.warn(plain(fields), message),
    error: (message, fields) => logger.error(plain(fields), message),
  };
}

/** The format for standard error as it is: text for a terminal, JSON for anything else. */
export function logFormat(): LogOptions['format'] {
  return process.stderr.isTTY ? 'text' : 'json';
}

/** A JSON line of the log as a line of text: `21:58:03.123 INFO  message key=value`. */
export function logLine(json: string): string {
  const { level, time, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const clock = String(time).slice(11, 23);
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${word(value)}`);
  return `${clock} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}${rest.join('')}\n`;
}

function word(value: unknown): string {
  const text = String(value);
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

/** JSON has no 64-bit integers: they are written as text. */
function plain(fields: LogFields | undefined): Record<string, unknown> {
  const entries = Object.entries(fields ?? {});
  return Object.fromEntries(
    entries.map(([key, value]) => [key, typeof value === 'bigint' ? value.toString() : value]),
  );
}

function standardError(): DestinationStream {
  const stream = destination({ fd: 2, sync: true });
  // Nobody reads any more: there is nobody to tell either.
  stream.on('error', () => {});
  return stream;
}
