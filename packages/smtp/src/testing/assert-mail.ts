import { AssertionError } from 'node:assert';
import { type ExpectedMail, findMismatches } from './expected-mail.ts';
import type { ReceivedMail } from './received-mail.ts';

/** Throws AssertionError, with all that is wrong, for a mail that is not as it is expected to be. For any test runner. */
export function assertMail(mail: ReceivedMail, expected: ExpectedMail): void {
  const mismatches = findMismatches(mail, expected);
  if (mismatches.length === 0) return;
  const message = `The mail is not as expected:\n  ${mismatches.join('\n  ')}`;
  throw new AssertionError({ message, expected, operator: 'assertMail', stackStartFn: assertMail });
}
