import { formatPath, type Mistake } from './mistake.ts';

/** What a configuration is made of, as in JSON. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

const deepest = 12;
const mostValues = 1_000_000;

/**
 * Copies a value that may be anything into plain data: undefined members are left out; functions, foreign objects,
 * cycles and what throws when it is read are mistakes. After this nothing surprises those who read it.
 */
export function toPlain(value: unknown): { readonly plain: Plain; readonly mistakes: readonly Mistake[] } {
  const mistakes: Mistake[] = [];
  let left = mostValues;
  const refuse = (way: readonly PropertyKey[], message: string, remedy: string): null => {
    if (mistakes.length < 100) mistakes.push({ path: formatPath(way), message, remedy });
    return null;
  };
  const copy = (item: unknown, way: readonly PropertyKey[]): Plain => {
    left -= 1;
    if (left < 0) return left === -1 ? refuse([], 'is too large', `Keep it below ${mostValues} values.`) : null;
    if (item === null || typeof item === 'boolean' || typeof item === 'string' || typeof item === 'number') return item;
    if (typeof item !== 'object')
      return refuse(way, `must be data; it is a ${typeof item}`, 'Write its value instead.');
    if (way.length > deepest)
      return refuse(way, 'is nested too deep', 'Check the brackets, or that it does not hold itself.');
    if (Array.isArray(item) && item.length > left) return refuse(way, 'is too long', 'Make the list shorter.');
    if (Array.isArray(item)) return item.map((element, index) => copy(element, [...way, index]));
    const prototype: unknown = Object.getPrototypeOf(item);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      return refuse(way, 'must be a plain object', 'Write it with braces, { … }.');
    }
    const members = Object.entries(item).filter(([, member]) => member !== undefined);
    return Object.fromEntries(members.map(([key, member]) => [key, copy(member, [...way, key])]));
  };
  try {
    return { plain: copy(value, []), mistakes };
  } catch (error) {
    refuse(
      [],
      `cannot be read: ${error instanceof Error ? error.message : 'reading it throws'}`,
      'Write plain values.',
    );
    return { plain: null, mistakes };
  }
}

/** Whether it is an object with members. */
export function isRecord(value: Plain | undefined): value is { readonly [key: string]: Plain } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of an object, or none of anything else. */
export function entriesOf(value: Plain | undefined): [string, Plain][] {
  return isRecord(value) ? Object.entries(value) : [];
}

/** The elements of a list, or none of anything else. */
export function elementsOf(value: Plain | undefined): readonly Plain[] {
  return Array.isArray(value) ? value : [];
}
