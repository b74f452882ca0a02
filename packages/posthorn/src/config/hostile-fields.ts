import { z } from 'zod';
import { field } from './field.ts';
import { textField } from './fields.ts';

const actions = ['refuse', 'discard'] as const;

/** Marks of mail that a filter before this server found hostile (RFC 5321 §6.2). */
export const hostileMarks = z.array(
  z.strictObject({
    /** The header field that the filter writes. */
    field: textField((text) => /^[!-9;-~]{1,70}$/.test(text), 'the name of a header field', 'Write "X-Virus-Status".'),
    /** What the field begins with then, in any case. */
    value: textField((text) => text.trim() !== '' && text.length <= 200, 'a text', 'Write a text such as "Infected".'),
    /** `refuse`: the client is told in the session; `discard`: it is told that all is well, and only the log knows better. */
    action: field<(typeof actions)[number]>({
      parse: (value) => actions.find((action) => action === value),
      expected: '"refuse" or "discard"',
      remedy: 'Write "refuse"; "discard" only where the client is a filter that would send a report to an innocent.',
    }).prefault('refuse'),
  }),
);
