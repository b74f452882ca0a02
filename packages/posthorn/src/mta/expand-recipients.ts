import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import type { Transaction } from '@posthorn/smtp/server';
import type { Directory } from '../directory/directory.ts';
import { type Expansion, targetedKey } from '../directory/expand-aliases.ts';
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
      const key = copyKey(copy, directory);
      if (recipients.has(key)) continue;
      recipients.set(key, { ...copy, ...passed, ...(isTracked && isSeveral ? { ...memberOf(address, index) } : {}) });
    }
  }
  return { recipients: [...recipients.values()], expanded };
}

/** Whom an enclosed message comes to; an alias without an end stands for itself, and fails when it is tried (RFC 2442). */
export function expandEnclosed(directory: Directory, transaction: Transaction): readonly Recipient[] {
  const expanded = expandRecipients(directory, transaction);
  if (expanded !== 'loop') return expanded.recipients;
  return transaction.recipients.map(({ mailbox, parameters }) => ({ address: formatMailbox(mailbox), ...parameters }));
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

/** What is the same for doubles. */
export function copyKey({ address, target }: Recipient, { keyOf }: Pick<Directory, 'keyOf'>): string {
  return target === undefined ? keyOf(address) : targetedKey({ address, target }, keyOf);
}

function withoutSuccess<T extends Pick<Recipient, 'notify'>>(parameters: T): T {
  const { notify } = parameters;
  return notify === undefined ? parameters : { ...parameters, notify: notify.filter((each) => each !== 'SUCCESS') };
}
