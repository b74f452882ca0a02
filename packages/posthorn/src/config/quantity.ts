const sizeUnits: Readonly<Record<string, number>> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };
const timeUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** Reads a size in octets: a number, or text such as `50MB` (powers of 1024); undefined when it is none. */
export function parseSize(value: unknown): number | undefined {
  if (typeof value === 'number') return wholeNumber(value);
  const match = typeof value === 'string' ? /^(\d{1,15}(?:\.\d{1,3})?) ?([kmgt]?)(?:i?b)?$/i.exec(value) : null;
  const unit = sizeUnits[match?.[2]?.toLowerCase() || 'b'];
  return match === null || unit === undefined ? undefined : wholeNumber(Math.round(Number(match[1]) * unit));
}

/** Reads a duration in milliseconds: a number, or text such as `30s`, `4h` or `1h 30m`; undefined when it is none. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return wholeNumber(value);
  if (typeof value !== 'string' || value.length > 40) return undefined;
  let total = 0;
  const rest = value.replace(/(\d{1,9}(?:\.\d{1,3})?)(ms|[smhdw]) ?/g, (_, count: string, unit: string) => {
    total += Number(count) * (timeUnits[unit] ?? 0);
    return '';
  });
  return value === '' || rest !== '' ? undefined : wholeNumber(Math.round(total));
}

function wholeNumber(value: number): number | undefined {
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
