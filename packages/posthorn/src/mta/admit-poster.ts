import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { Failure } from '@posthorn/smtp/failure/failure';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { AcceptedRecipient, Transaction } from '@posthorn/smtp/server';
import type { Directory } from '../directory/directory.ts';
import type { FindList } from './lists.ts';

const notPosted = reply(550, '5.7.2', 'The sender may not write to this list');
const unreadable = reply(451, '4.2.4', 'The list cannot be expanded now');

/** Refuses mail for a list, or for an alias of one, from whom the list takes none: better now than by a report (RFC 3463 §3.8). */
export function admitPoster(
  { directory, findList }: { readonly directory: Directory; readonly findList: FindList },
  { mailbox }: AcceptedRecipient,
  { reversePath }: Pick<Transaction, 'reversePath'>,
): Reply | undefined {
  // A report that comes for a list goes to its keepers.
  if (reversePath === null) return undefined;
  const address = formatMailbox(mailbox);
  const { kind } = directory.lookup(address);
  if (kind !== 'list' && kind !== 'alias') return undefined;
  const expansion = kind === 'list' ? undefined : directory.expand(address);
  const addresses = expansion?.kind === 'recipients' ? expansion.recipients : [address];
  const sender = formatMailbox(reversePath);
  try {
    const isRefused = addresses.some((each) => findList(each)?.mayPost(sender) === false);
    return isRefused ? notPosted : undefined;
  } catch (error) {
    if (error instanceof Failure && error.kind === 'storage') return unreadable;
    throw error;
  }
}
