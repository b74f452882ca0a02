import type { Directory } from '../directory/directory.ts';
import type { Recipient } from '../queue/envelope.ts';
import { copiesOf, copyKey } from './expand-recipients.ts';

/** Who gets the mail for these addresses in the end: aliases are replaced, each mailbox is named once (RFC 5321 §3.9.1). */
export function expandAddresses(directory: Directory, addresses: readonly string[]): Recipient[] {
  const recipients = new Map<string, Recipient>();
  for (const each of addresses) {
    const expansion = directory.expand(each);
    for (const copy of expansion.kind === 'loop' ? [] : copiesOf(expansion)) {
      const key = copyKey(copy, directory);
      if (!recipients.has(key)) recipients.set(key, copy);
    }
  }
  return [...recipients.values()];
}
