const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_DIGITS = 9;
const LATEST = 32 ** TIME_DIGITS - 1;
const LANES = 1024;
const SEQUENCES = 32 ** 3;
const ID = /^[0-9a-hjkmnp-tv-z]{14}$/;
/** A clock that goes back by less, in milliseconds, is waited out; by more, it is believed. */
const JITTER = 1000;

/** Writes a time as nine digits that sort as the times do; milliseconds since the epoch, cut to what fits. */
export function formatTime(time: number): string {
  return formatDigits(Math.min(Math.max(Math.floor(time), 0), LATEST), TIME_DIGITS);
}

/** Reads the time that a key or queue id begins with, in milliseconds since the epoch. */
export function parseTime(text: string): number {
  let time = 0;
  for (let i = 0; i < TIME_DIGITS; i++) time = time * 32 + DIGITS.indexOf(text.charAt(i));
  return time;
}

/** Whether the text has the form of a queue id of the spool. */
export function isQueueId(text: string): boolean {
  return ID.test(text);
}

/**
 * Makes a source of queue ids: nine digits of time, two of a lane, three of a sequence. A lane belongs to one run of the
 * clock, so that neither a restart nor a clock that is set back brings an id twice.
 */
export function createIdSource(now: () => number): () => string {
  let lane = Math.floor(Math.random() * LANES);
  let last = -1;
  let sequence = 0;
  let prefix = '';
  return () => {
    let time = Math.floor(now());
    if (time < last) {
      if (last - time > JITTER) lane = (lane + 1) % LANES;
      else time = last;
    }
    if (time === last && sequence === SEQUENCES - 1) time = last + 1;
    if (time === last) {
      sequence++;
    } else {
      sequence = Math.floor(Math.random() * (SEQUENCES / 2));
      last = time;
      prefix = formatTime(time) + formatDigits(lane, 2);
    }
    return prefix + formatDigits(sequence, 3);
  };
}

function formatDigits(value: number, count: number): string {
  let text = '';
  let rest = value;
  for (let i = 0; i < count; i++) {
    text = DIGITS.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
