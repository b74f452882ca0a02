import { parseAddress } from '@posthorn/smtp/address/parse-address';
import type { Config } from '../config/schema.ts';
import type { Directory } from '../directory/directory.ts';
import type { MailboxSettings } from '../directory/directory-domain.ts';
import type { MailboxBounds } from '../queue/mailbox-bounds.ts';
import type { LocalAddress } from '../routing/router.ts';

/** What the router has to know of an address of a domain of ours. */
export function locateAddress(directory: Directory, config: Config, address: string): LocalAddress {
  const entry = directory.lookup(address);
  if (entry.kind === 'gateway') return { isNumber: true };
  const extension = 'detail' in entry ? entry.detail : undefined;
  const about = extension === undefined ? {} : { extension };
  if (entry.kind === 'mailbox') return { ...about, ...ofMailbox(entry.address, entry, config) };
  // What keeps a copy is an alias, or has moved, and has a mailbox of its name all the same.
  const mailbox = directory.mailboxOf(address);
  const settings = directory.settingsOf(address);
  return mailbox === undefined || settings === undefined
    ? about
    : { ...about, ...ofMailbox(mailbox, settings, config) };
}

function ofMailbox(mailbox: string, settings: MailboxSettings, { domains }: Config): LocalAddress {
  const { disabled = false, quota, messageSize } = settings;
  if (quota === undefined && messageSize === undefined) return { mailbox, disabled };
  const { refuseOverQuota = false } = domains[parseAddress(mailbox)?.domain ?? ''] ?? {};
  const bounds: MailboxBounds = {
    refuseOverQuota,
    ...(quota === undefined ? {} : { quota }),
    ...(messageSize === undefined ? {} : { messageSize }),
  };
  return { mailbox, disabled, bounds };
}
