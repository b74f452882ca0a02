import type { Config } from '../config/schema.ts';
import { parseAddress } from '../directory/alias-target.ts';
import type { Directory } from '../directory/directory.ts';
import type { MailboxBounds } from '../queue/mailbox-bounds.ts';
import type { LocalAddress } from '../routing/router.ts';

/** What the router has to know of an address of a domain of ours. */
export function locateAddress(directory: Directory, config: Config, address: string): LocalAddress {
  const entry = directory.lookup(address);
  if (entry.kind === 'gateway') return { isNumber: true };
  const mailbox = directory.mailboxOf(address);
  const extension = 'detail' in entry ? entry.detail : undefined;
  const about = extension === undefined ? {} : { extension };
  if (mailbox === undefined) return about;
  const { disabled = false } = directory.settingsOf(address) ?? {};
  const bounds = boundsOf(directory, config, mailbox);
  return { mailbox, disabled, ...about, ...(bounds === undefined ? {} : { bounds }) };
}

/** The quota and the size limit of a mailbox, undefined when it has neither. */
function boundsOf(directory: Directory, { domains }: Config, mailbox: string): MailboxBounds | undefined {
  const { quota, messageSize } = directory.settingsOf(mailbox) ?? {};
  if (quota === undefined && messageSize === undefined) return undefined;
  const { refuseOverQuota = false } = domains[parseAddress(mailbox)?.domain ?? ''] ?? {};
  return {
    refuseOverQuota,
    ...(quota === undefined ? {} : { quota }),
    ...(messageSize === undefined ? {} : { messageSize }),
  };
}
