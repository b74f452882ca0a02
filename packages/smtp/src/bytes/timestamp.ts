const dateTime = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,20}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

const day = 86_400_000;

/**
 * Reads a time as the Internet's protocols write it; milliseconds since the epoch, what is finer rounded up. Undefined when
 * it is malformed or no day of the calendar (RFC 3339 §5.6).
 */
export function parseTimestamp(text: string): number | undefined {
  const match = text.length > 50 ? null : dateTime.exec(text);
  if (match === null) return undefined;
  const [, date, hour, minute, second, fraction, sign, offsetHour, offsetMinute] = match;
  const start = startOfDay(date as string);
  const time = secondsOf(hour as string, minute as string, Number(second));
  const offset = secondsOf(offsetHour ?? '0', offsetMinute ?? '0', 0);
  if (start === undefined || time === undefined || offset === undefined) return undefined;
  const part = fraction === undefined ? 0 : Math.ceil(Number(`0.${fraction}`) * 1000);
  return start + time * 1000 + part - (sign === '-' ? -offset : offset) * 1000;
}

/** The 30th of February would silently become a day of March. */
function startOfDay(date: string): number | undefined {
  const instant = Date.parse(`${date}T00:00:00Z`);
  const isDay = !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(date);
  return isDay ? instant : undefined;
}

/** A minute may have a leap second. */
function secondsOf(hour: string, minute: string, second: number): number | undefined {
  return Number(hour) > 23 || Number(minute) > 59 || second > 60
    ? undefined
    : Number(hour) * 3600 + Number(minute) * 60 + second;
}

const firstYear = Date.parse('0000-01-01T00:00:00Z');
const lastYear = Date.parse('9999-12-31T00:00:00Z') + day;

/**
 * Writes milliseconds since the epoch in UTC, `2026-11-25T08:30:00Z`, with a fraction only where there is one; undefined
 * outside of the years that have four digits (RFC 3339 §5.6).
 */
export function formatTimestamp(instant: number): string | undefined {
  if (!(instant >= firstYear && instant < lastYear)) return undefined;
  return new Date(instant).toISOString().replace('.000Z', 'Z');
}
