import { formatTime, parseTime } from './queue-id.ts';

const TIME_DIGITS = 9;
/** Begins the keys of all priorities but 0, which stand behind those of 0: a letter for the priority follows. */
const MARK = '{';
const HIGHEST = 9;

/** The key of a message in the index of due messages: time, then id; before them the priority, unless it is 0. */
export function dueKey(due: number, id: string, priority = 0): string {
  return lanePrefix(priority) + formatTime(due) + id;
}

/** What the keys of a priority begin with, -9 to 9. */
export function lanePrefix(priority: number): string {
  return priority === 0 ? '' : MARK + String.fromCharCode(0x61 + HIGHEST - priority);
}

/** Behind all keys that begin with the prefix. */
export function laneEnd(prefix: string): string {
  return prefix === '' ? MARK : `${prefix}{`;
}

/** The priority that a key is of. */
export function priorityOf(key: string): number {
  return key.startsWith(MARK) ? HIGHEST - (key.charCodeAt(1) - 0x61) : 0;
}

/** The time of a key, in milliseconds since the epoch, and the id of its message. */
export function readDueKey(key: string): { readonly time: number; readonly id: string } {
  const start = key.startsWith(MARK) ? 2 : 0;
  return { time: parseTime(key.slice(start)), id: key.slice(start + TIME_DIGITS) };
}
