import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { parseAliasTarget } from '../directory/alias-target.ts';
import type { Directory } from '../directory/directory.ts';

/** Why a target of an alias leads to nobody, as a clause; undefined when it does lead to somebody (RFC 5321 §3.9.1). */
export function deadEnd(target: string, domain: string, directory: Directory): string | undefined {
  const parsed = parseAliasTarget(target, domain);
  if (parsed === undefined || !('mailbox' in parsed)) return undefined;
  const address = formatMailbox(parsed.mailbox);
  const entry = directory.lookup(address);
  if (parsed.direct && entry.kind !== 'foreign' && entry.kind !== 'relay') {
    return directory.mailboxOf(address) === undefined ? `leads to ${address}, which is no mailbox` : undefined;
  }
  if (entry.kind === 'forward' && entry.mode === 'refuse') return `leads to ${address}, which has moved`;
  const isNobody = entry.kind === 'unknown-mailbox' || entry.kind === 'malformed';
  return isNobody ? `leads to ${address}, which is neither a mailbox nor an alias` : undefined;
}

/** Whether what a name stands for has no end. */
export function isEndless(name: string, domain: string, directory: Directory): boolean {
  const parsed = parseAliasTarget(name, domain);
  if (parsed === undefined || !('mailbox' in parsed)) return false;
  const address = formatMailbox(parsed.mailbox);
  const expansion = directory.resendingOf(address)?.expansion ?? directory.expand(address);
  return expansion.kind === 'loop';
}
