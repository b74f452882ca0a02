import { z } from 'zod';

/** How a single value of the configuration is read. */
export interface FieldRules<Output> {
  /** The value as it is used; undefined when it is faulty. */
  readonly parse: (value: unknown) => Output | undefined;
  /** What it must be, as a noun with its article. */
  readonly expected: string;
  /** What to write, as a sentence. */
  readonly remedy: string;
  /** What is wrong with a value that is no `expected`, as a clause; it is shown unless this says it. */
  readonly complain?: (value: unknown) => string;
}

/** A schema for a single value. Its issues carry message and remedy as two lines of one text. */
export function field<Input, Output = Input>({ parse, expected, remedy, complain }: FieldRules<Output>) {
  return z
    .custom<Input>(() => true)
    .transform((value, context): Output => {
      const output = parse(value);
      if (output !== undefined) return output;
      const complaint = complain?.(value) ?? `must be ${expected}; it is ${show(value)}`;
      const message = `${value === undefined ? 'is missing' : complaint}\n${remedy}`;
      context.issues.push({ code: 'custom', message, input: undefined });
      return z.NEVER;
    });
}

/** A value for people: short, on one line. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
