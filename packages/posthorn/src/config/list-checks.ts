import type { Directory } from '../directory/directory.ts';
import { deadEnd } from './alias-checks.ts';
import { type ListConfig, listFields } from './list-fields.ts';
import { formatPath, type Mistake } from './mistake.ts';
import type { Plain } from './plain.ts';

/** The lists of a domain, where all of them are well formed: what is faulty in itself is reported elsewhere. */
export function readableLists(lists: Plain | undefined): Readonly<Record<string, ListConfig>> {
  return listFields.lists.safeParse(lists).data ?? {};
}

/** Members and owners that nobody reads the mail of, and one click that has no place to go to (RFC 8058 §3.1). */
export function listMistakes(
  domain: string,
  lists: Readonly<Record<string, ListConfig>>,
  directory: Directory,
): Mistake[] {
  return Object.entries(lists).flatMap(([name, { members, owner, oneClick, unsubscribe = [] }]) => {
    const way = ['domains', domain, 'lists', name];
    const deadEnds = Object.entries({ members, owner }).flatMap(([field, targets]) =>
      targets.flatMap((target, index) => {
        const message = deadEnd(target, domain, directory);
        const path = formatPath([...way, field, index]);
        return message === undefined ? [] : [{ path, message, remedy: 'Add the mailbox, or correct the name.' }];
      }),
    );
    if (!oneClick || unsubscribe.filter((url) => /^https:/i.test(url)).length === 1) return deadEnds;
    const message = 'needs one https URL in unsubscribe';
    return [...deadEnds, { path: formatPath([...way, 'oneClick']), message, remedy: 'Add it, or take oneClick away.' }];
  });
}
