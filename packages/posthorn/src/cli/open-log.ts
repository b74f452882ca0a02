import pino from 'pino';
import type { LogSink } from '../mta/log.ts';

/** How the log is written: for people, or one object of JSON a line. */
export type LogFormat = 'text' | 'json';

/** A log that is written out when it is closed. */
export interface OpenLog extends LogSink {
  close(): void;
}

/** Octets that wait for a slow reader of the log; beyond, lines are lost rather than the server held up. */
const mostWaiting = 16 * 2 ** 20;
/** Octets that are written at once under load, and milliseconds after which fewer are written too. */
const atOnce = 8 * 2 ** 10;
const flushPause = 200;

/** Opens the log on standard error: an event is one line, with the queue id first where there is one. */
export function openLog(format: LogFormat): OpenLog {
  const destination = pino.destination({
    dest: 2,
    sync: false,
    maxLength: mostWaiting,
    minLength: atOnce,
    periodicFlush: flushPause,
  });
  const close = () => destination.flushSync();
  if (format === 'text') return { ...textLog((line) => void destination.write(line)), close };
  const logger = pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
    destination,
  );
  return {
    info: (fields, text) => logger.info(fields, text),
    warn: (fields, text) => logger.warn(fields, text),
    error: (fields, text) => logger.error(fields, text),
    close,
  };
}

function textLog(write: (line: string) => void): LogSink {
  const line = (mark?: string) => (fields: object, text: string) => {
    const time = new Date().toISOString().slice(11, 19);
    const words = [time, mark, text, ...Object.entries(fields).map(describe)];
    write(`${words.filter((word) => word !== undefined).join(' ')}\n`);
  };
  return { info: line(), warn: line('!'), error: line('!') };
}

function describe([name, value]: [string, unknown]): string | undefined {
  if (value === undefined) return undefined;
  const text = value instanceof Error ? value.message : typeof value === 'string' ? value : JSON.stringify(value);
  return `${name}=${/^[!#-~]+$/.test(text) ? text : JSON.stringify(text)}`;
}
