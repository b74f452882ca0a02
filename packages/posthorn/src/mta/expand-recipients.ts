import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import type { Transaction } from '@posthorn/smtp/server';
import type { Directory } from '../directory/directory.ts';
import type { Expansion } from '../directory/expand-aliases.ts';
import type { Recipient } from '../queue/envelope.ts';

/** Whom a transaction comes to. */
export interface ExpandedRecipients {
  /** One for each mailbox, program and file. */
  readonly recipients: Recipient[];
  /** As they were given: those that stand for several, and of whose success the sender wants to hear (RFC 3461 §5.2.7.3). */
  readonly expanded: readonly Recipient[];
}

/**
 * Replaces aliases, removes doubles. What stands for one passes on all that its sender asked for; what stands for several
 * passes on all but the wish to hear of success, which is told of the alias itself (RFC 3461 §5.2.7.2, RFC 3461 §5.2.7.3).
 */
export function expandRecipients(directory: Directory, transaction: Transaction): ExpandedRecipients | 'loop' {
  const recipients = new Map<string, Recipient>();
  const expanded: Recipient[] = [];
  const isTracked = transaction.mail.tracking !== undefined;
  for (const { mailbox, parameters } of transaction.recipients) {
    const address = formatMailbox(mailbox);
    const expansion = directory.expand(address);
    if (expansion.kind === 'loop') return 'loop';
    const copies = copiesOf(expansion);
    const isSeveral = copies.length > 1;
    if (isSeveral && parameters.notify?.includes('SUCCESS')) expanded.push({ address, ...parameters });
    const passed = isSeveral ? withoutSuccess(parameters) : parameters;
    for (const [index, copy] of copies.entries()) {
      const key = copy.target === undefined ? directory.keyOf(copy.address) : `${copy.target} ${copy.address}`;
      if (recipients.has(key)) continue;
      recipients.set(key, { ...copy, ...passed, ...(isTracked && isSeveral ? { ...memberOf(address, index) } : {}) });
    }
  }
  return { recipients: [...recipients.values()], expanded };
}

/** All recipients of an expansion: addresses, then programs, files and what is sent on. */
export function copiesOf(expansion: Extract<Expansion, { kind: 'recipients' }>): Recipient[] {
  const { recipients, targeted = [] } = expansion;
  return [...recipients.map((address) => ({ address })), ...targeted];
}

/** The first member of an alias has the certifier, the others have none (RFC 3885 §3.3). */
function memberOf(alias: string, index: number): Pick<Recipient, 'alias' | 'untracked'> {
  return index === 0 ? { alias } : { alias, untracked: true };
}

function withoutSuccess<T extends Pick<Recipient, 'notify'>>(parameters: T): T {
  const { notify } = parameters;
  return notify === undefined ? parameters : { ...parameters, notify: notify.filter((each) => each !== 'SUCCESS') };
}
