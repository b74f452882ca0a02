import { field } from './field.ts';
import { parseDuration, parseSize } from './quantity.ts';

/** Text in the form that the parser wants; the text itself is kept. */
export function textField(isGood: (text: string) => boolean, expected: string, remedy: string) {
  const parse = (value: unknown) => (typeof value === 'string' && isGood(value) ? value : undefined);
  return field<string>({ parse, expected, remedy });
}

/** A whole number between two bounds. */
export function count(least: number, most: number) {
  const parse = (value: unknown) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? (value as number)
      : undefined;
  const range = `${least} to ${most}`;
  return field<number>({ parse, expected: `a whole number, ${range}`, remedy: `Write a number from ${range}.` });
}

/** A size in octets, as a number or as text such as `50MB`. */
export function size(least: number, example: string) {
  const parse = (value: unknown) => atLeast(parseSize(value), least);
  const expected = `a size of at least ${least} octets`;
  return field<number | string, number>({ parse, expected, remedy: `Write octets, or a size such as "${example}".` });
}

/** A duration in milliseconds, as a number or as text such as `4h`. */
export function duration(least: string, example: string) {
  const parse = (value: unknown) => atLeast(parseDuration(value), parseDuration(least) ?? 0);
  const remedy = `Write milliseconds, or a time such as "${example}" (ms, s, m, h, d, w).`;
  return field<number | string, number>({ parse, expected: `a duration of at least ${least}`, remedy });
}

function atLeast(value: number | undefined, least: number): number | undefined {
  return value !== undefined && value >= least ? value : undefined;
}

/** True or false. */
export const flag = () =>
  field<boolean>({
    parse: (value) => (typeof value === 'boolean' ? value : undefined),
    expected: 'true or false',
    remedy: 'Write true or false, without quotes.',
  });

/** A path in the file system. */
export const filePath = (example: string) =>
  textField(
    (text) => text !== '' && !text.includes('\0') && text.length < 4096,
    'a path',
    `Write a path such as "${example}".`,
  );
