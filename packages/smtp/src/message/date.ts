const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const monthNames = months.map((name) => name.toLowerCase());

/** Minutes east of UTC of the zones that have a name; every other name counts as UTC (RFC 5322 §4.3). */
const zones: Readonly<Record<string, number>> = {
  edt: -240,
  est: -300,
  cdt: -300,
  cst: -360,
  mdt: -360,
  mst: -420,
  pdt: -420,
  pst: -480,
};

/** Longer texts are no dates; bounds the work on what a stranger wrote. */
const longestDate = 200;

const dateTime =
  /^(?:[a-z]+ ?,? ?)?(\d{1,2})[ -]([a-z]{3})[a-z]*\.?[ -](\d{2,4}) (\d{1,2}) ?: ?(\d{2})(?: ?: ?(\d{2}))?(?: ?([+-]\d{4})| ([a-z]+))?$/;

let cached = { second: Number.NaN, offset: 0, text: '' };

/** Writes an instant (milliseconds since the epoch) as local time of a zone, minutes east of UTC (RFC 5322 §3.3). */
export function formatDate(instant: number, offsetMinutes = 0): string {
  const second = Math.floor(instant / 1000);
  // Each accepted message bears a date, and thousands share a second.
  if (second !== cached.second || offsetMinutes !== cached.offset) {
    cached = { second, offset: offsetMinutes, text: dateText(second, offsetMinutes) };
  }
  return cached.text;
}

function dateText(second: number, offsetMinutes: number): string {
  const local = new Date((second + offsetMinutes * 60) * 1000);
  const date = `${days[local.getUTCDay()]}, ${local.getUTCDate()} ${months[local.getUTCMonth()]} ${local.getUTCFullYear()}`;
  const time = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()].map(twoDigits).join(':');
  const offset = Math.abs(offsetMinutes);
  return `${date} ${time} ${offsetMinutes < 0 ? '-' : '+'}${twoDigits(Math.floor(offset / 60))}${twoDigits(offset % 60)}`;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/**
 * Reads a date in any form that mail ever had, two-digit years, named zones and comments among them; milliseconds since
 * the epoch, undefined when it is none (RFC 5322 §4.3).
 */
export function parseDate(text: string): number | undefined {
  if (text.length > longestDate) return undefined;
  const match = dateTime.exec(withoutComments(text).trim().replace(/\s+/g, ' ').toLowerCase());
  if (match === null) return undefined;
  const [, day, monthName, year, hour, minute, second, offset, zone] = match;
  const month = monthNames.indexOf(monthName as string);
  const fields = [
    fullYear(year as string),
    month,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second ?? 0),
  ] as const;
  if (month < 0 || fields[3] > 23 || fields[4] > 59 || fields[5] > 60) return undefined;
  const local = Date.UTC(...fields);
  // The 31st of a month with thirty days would silently become the first of the next.
  if (new Date(Date.UTC(fields[0], month, fields[2])).getUTCDate() !== fields[2]) return undefined;
  return local - (offset === undefined ? (zones[zone ?? ''] ?? 0) : offsetOf(offset)) * 60_000;
}

function offsetOf(zone: string): number {
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3));
  return zone.startsWith('-') ? -minutes : minutes;
}

function fullYear(digits: string): number {
  const year = Number(digits);
  if (digits.length === 4) return year;
  return digits.length === 2 && year < 50 ? year + 2000 : year + 1900;
}

function withoutComments(text: string): string {
  let out = '';
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] as string;
    if (character === '(') depth += 1;
    else if (character === ')' && depth > 0) depth -= 1;
    else if (character === '\\' && depth > 0) index += 1;
    else if (depth === 0) out += character;
    else continue;
    if (character === '(') out += ' ';
  }
  return out;
}
