import type { Status } from './reply.ts';

/** What a code stands for, and where that is laid down. */
export interface RegistryEntry {
  readonly meaning: string;
  readonly source: string;
}

type Row = readonly [key: string, meaning: string, source: string];

function registry(rows: readonly Row[]): ReadonlyMap<string, RegistryEntry> {
  return new Map(rows.map(([key, meaning, source]) => [key, { meaning, source }]));
}

/** Every reply code of SMTP and its extensions, by its three digits (RFC 5321 §4.2.3). */
export const replyCodes: ReadonlyMap<string, RegistryEntry> = registry([
  ['211', 'system status', 'RFC 5321 §4.2.3'],
  ['214', 'help', 'RFC 5321 §4.2.3'],
  ['220', 'service ready', 'RFC 5321 §4.2.3'],
  ['221', 'closing the connection', 'RFC 5321 §4.2.3'],
  ['235', 'authenticated', 'RFC 4954 §6'],
  ['250', 'done', 'RFC 5321 §4.2.3'],
  ['251', 'user not local, will forward; no messages waiting', 'RFC 5321 §4.2.3, RFC 1985 §5.1'],
  ['252', 'not verified, but will be tried; queued messages started', 'RFC 5321 §4.2.3, RFC 1985 §5.1'],
  ['253', 'that many queued messages started', 'RFC 1985 §5.1'],
  ['334', 'authentication challenge', 'RFC 4954 §4'],
  ['354', 'send the message', 'RFC 5321 §4.2.3'],
  ['355', 'send the message from that octet on', 'RFC 1845 §3'],
  ['421', 'service not available, closing the connection', 'RFC 5321 §4.2.3'],
  ['432', 'a password transition is needed', 'RFC 4954 §6'],
  ['450', 'mailbox unavailable for now', 'RFC 5321 §4.2.3'],
  ['451', 'local error in processing', 'RFC 5321 §4.2.3'],
  ['452', 'not enough storage', 'RFC 5321 §4.2.3'],
  ['453', 'no mail for the domain', 'RFC 2645 §5.2.1'],
  ['454', 'TLS or authentication not available for now', 'RFC 3207 §4, RFC 4954 §6'],
  ['455', 'parameters cannot be honoured for now', 'RFC 5321 §4.2.3'],
  ['458', 'messages cannot be queued for the node', 'RFC 1985 §5.1'],
  ['459', 'node not allowed', 'RFC 1985 §5.1'],
  ['500', 'command not recognized', 'RFC 5321 §4.2.3'],
  ['501', 'syntax error in arguments', 'RFC 5321 §4.2.3'],
  ['502', 'command not implemented', 'RFC 5321 §4.2.3'],
  ['503', 'bad sequence of commands', 'RFC 5321 §4.2.3'],
  ['504', 'argument not implemented', 'RFC 5321 §4.2.3'],
  ['521', 'host takes no mail', 'RFC 7504 §3'],
  ['523', 'encryption needed', 'RFC 5248 §2.4'],
  ['525', 'account disabled', 'RFC 5248 §2.4'],
  ['530', 'TLS or authentication needed first', 'RFC 3207 §4, RFC 4954 §6'],
  ['534', 'authentication mechanism too weak', 'RFC 4954 §6'],
  ['535', 'authentication credentials invalid', 'RFC 4954 §6'],
  ['538', 'encryption needed for the authentication mechanism', 'RFC 4954 §6'],
  ['550', 'mailbox unavailable, or refused by policy', 'RFC 5321 §4.2.3'],
  ['551', 'user not local, try the path given', 'RFC 5321 §4.2.3'],
  ['552', 'storage allocation exceeded', 'RFC 5321 §4.2.3'],
  ['553', 'mailbox name not allowed', 'RFC 5321 §4.2.3'],
  ['554', 'transaction failed, or no service here', 'RFC 5321 §4.2.3'],
  ['555', 'parameters not recognized or not implemented', 'RFC 5321 §4.2.3'],
  ['556', 'domain takes no mail', 'RFC 7504 §4'],
]);

/** Classes of an enhanced status, by the first number (RFC 3463 §3.1). */
const classes: Readonly<Record<string, string>> = {
  '2': 'success',
  '4': 'temporary failure',
  '5': 'permanent failure',
};

/** Every registered enhanced status, by `subject.detail`; `subject.0` is the subject as such (RFC 3463 §3, RFC 5248 §2.4). */
export const statuses: ReadonlyMap<string, RegistryEntry> = registry([
  ['0.0', 'no further detail', 'RFC 3463 §3.1'],
  ['1.0', 'address', 'RFC 3463 §3.2'],
  ['1.1', 'no such mailbox', 'RFC 3463 §3.2'],
  ['1.2', 'no such domain', 'RFC 3463 §3.2'],
  ['1.3', 'bad syntax of the recipient address', 'RFC 3463 §3.2'],
  ['1.4', 'recipient address is ambiguous', 'RFC 3463 §3.2'],
  ['1.5', 'recipient address is valid', 'RFC 3463 §3.2'],
  ['1.6', 'mailbox has moved', 'RFC 3463 §3.2'],
  ['1.7', 'bad syntax of the sender address', 'RFC 3463 §3.2'],
  ['1.8', 'domain of the sender cannot be used', 'RFC 3463 §3.2'],
  ['1.9', 'relayed to a host that does not report delivery', 'RFC 3886 §3.3.4'],
  ['1.10', 'domain of the recipient takes no mail (null MX)', 'RFC 7505 §6'],
  ['2.0', 'mailbox', 'RFC 3463 §3.3'],
  ['2.1', 'mailbox disabled', 'RFC 3463 §3.3'],
  ['2.2', 'mailbox full', 'RFC 3463 §3.3'],
  ['2.3', 'message too long for the mailbox', 'RFC 3463 §3.3'],
  ['2.4', 'mailing list cannot be expanded', 'RFC 3463 §3.3'],
  ['3.0', 'mail system of the recipient', 'RFC 3463 §3.4'],
  ['3.1', 'mail system full', 'RFC 3463 §3.4'],
  ['3.2', 'system accepts no mail', 'RFC 3463 §3.4'],
  ['3.3', 'system lacks a feature that the message needs', 'RFC 3463 §3.4'],
  ['3.4', 'message too big for the system', 'RFC 3463 §3.4'],
  ['3.5', 'system is not configured correctly', 'RFC 3463 §3.4'],
  ['3.6', 'requested priority was changed', 'RFC 6710 §10'],
  ['4.0', 'network or routing', 'RFC 3463 §3.5'],
  ['4.1', 'no answer from the host', 'RFC 3463 §3.5'],
  ['4.2', 'connection lost', 'RFC 3463 §3.5'],
  ['4.3', 'directory server (DNS) failure', 'RFC 3463 §3.5'],
  ['4.4', 'no route to the host', 'RFC 3463 §3.5'],
  ['4.5', 'mail system congested', 'RFC 3463 §3.5'],
  ['4.6', 'routing loop', 'RFC 3463 §3.5'],
  ['4.7', 'delivery time expired', 'RFC 3463 §3.5'],
  ['5.0', 'mail protocol', 'RFC 3463 §3.6'],
  ['5.1', 'command unknown or out of order', 'RFC 3463 §3.6'],
  ['5.2', 'syntax error', 'RFC 3463 §3.6'],
  ['5.3', 'too many recipients', 'RFC 3463 §3.6'],
  ['5.4', 'bad arguments of a command', 'RFC 3463 §3.6'],
  ['5.5', 'wrong version of the protocol', 'RFC 3463 §3.6'],
  ['5.6', 'authentication line too long', 'RFC 4954 §6'],
  ['6.0', 'content of the message', 'RFC 3463 §3.7'],
  ['6.1', 'media type not supported', 'RFC 3463 §3.7'],
  ['6.2', 'conversion needed but prohibited', 'RFC 3463 §3.7'],
  ['6.3', 'conversion needed but not supported', 'RFC 3463 §3.7'],
  ['6.4', 'converted with loss', 'RFC 3463 §3.7'],
  ['6.5', 'conversion failed', 'RFC 3463 §3.7'],
  ['6.6', 'content of the message is not available', 'RFC 4468 §5'],
  ['6.7', 'address outside of ASCII not permitted', 'RFC 6531 §4.2'],
  ['6.8', 'reply needs UTF-8, which is not permitted', 'RFC 6531 §4.2'],
  ['6.9', 'message with UTF-8 header cannot go to the recipient', 'RFC 6531 §4.2'],
  ['6.10', 'message with UTF-8 header cannot be sent (no longer used)', 'RFC 6531 §4.2'],
  ['7.0', 'security', 'RFC 3463 §3.8'],
  ['7.1', 'refused by policy', 'RFC 3463 §3.8'],
  ['7.2', 'expansion of the mailing list prohibited', 'RFC 3463 §3.8'],
  ['7.3', 'security conversion needed but not possible', 'RFC 3463 §3.8'],
  ['7.4', 'security features not supported', 'RFC 3463 §3.8'],
  ['7.5', 'cryptographic failure', 'RFC 3463 §3.8'],
  ['7.6', 'cryptographic algorithm not supported', 'RFC 3463 §3.8'],
  ['7.7', 'message integrity failure', 'RFC 3463 §3.8'],
  ['7.8', 'authentication credentials invalid', 'RFC 4954 §6'],
  ['7.9', 'authentication mechanism too weak', 'RFC 4954 §6'],
  ['7.10', 'encryption needed', 'RFC 5248 §2.4'],
  ['7.11', 'encryption needed for the authentication mechanism', 'RFC 4954 §6'],
  ['7.12', 'a password transition is needed', 'RFC 4954 §6'],
  ['7.13', 'account disabled', 'RFC 5248 §2.4'],
  ['7.14', 'trust relationship needed', 'RFC 5248 §2.4'],
  ['7.15', 'priority too low', 'RFC 6710 §10'],
  ['7.16', 'message too big for its priority', 'RFC 6710 §10'],
  ['7.17', 'owner of the mailbox has changed', 'RFC 7293 §15.3'],
  ['7.18', 'owner of the domain has changed', 'RFC 7293 §15.3'],
  ['7.19', 'owner of the mailbox cannot be checked', 'RFC 7293 §15.3'],
  ['7.20', 'no DKIM signature passed', 'RFC 7372 §3.1'],
  ['7.21', 'no acceptable DKIM signature', 'RFC 7372 §3.1'],
  ['7.22', 'no DKIM signature of the author', 'RFC 7372 §3.1'],
  ['7.23', 'SPF check failed', 'RFC 7372 §3.2'],
  ['7.24', 'SPF check could not be done', 'RFC 7372 §3.2'],
  ['7.25', 'reverse DNS check failed', 'RFC 7372 §3.3'],
  ['7.26', 'several authentication checks failed', 'RFC 7372 §3.4'],
  ['7.27', 'domain of the sender takes no mail (null MX)', 'RFC 7505 §6'],
  ['7.28', 'flood of mail detected', 'IANA, SMTP Enhanced Status Codes'],
  ['7.29', 'ARC check failed', 'RFC 8617 §10.4'],
  ['7.30', 'TLS as the message requires it is not possible', 'RFC 8689 §7'],
]);

/**
 * Says an enhanced status in words, for reports and people; one that is not registered is told by its subject, or else
 * by its class alone (RFC 3463 §3).
 */
export function describeStatus(status: Status): string {
  const [digit = '', subject = '', detail = ''] = status.split('.');
  const entry = statuses.get(`${subject}.${detail}`) ?? statuses.get(`${subject}.0`);
  const name = classes[digit] ?? 'unknown class';
  return entry === undefined || subject === '0' ? name : `${name}: ${entry.meaning}`;
}

/** Says a reply code in words; undefined when it is not registered, for then only its first digit counts (RFC 5321 §4.3.2). */
export function describeCode(code: number): string | undefined {
  return replyCodes.get(String(code))?.meaning;
}

/** Codes that mean one thing wherever they stand, so that a status more exact than `x.0.0` follows from them. */
const statusOfCode: Readonly<Record<number, Status>> = {
  235: '2.7.0',
  251: '2.1.5',
  421: '4.3.2',
  432: '4.7.12',
  454: '4.7.0',
  455: '4.5.4',
  459: '4.7.1',
  500: '5.5.0',
  501: '5.5.4',
  502: '5.5.1',
  503: '5.5.1',
  504: '5.5.4',
  521: '5.3.2',
  523: '5.7.10',
  525: '5.7.13',
  530: '5.7.0',
  534: '5.7.9',
  535: '5.7.8',
  538: '5.7.11',
  551: '5.1.6',
  555: '5.5.4',
  556: '5.1.10',
};

/**
 * The status of a reply that came without one: what its code says for certain, else `x.0.0`; undefined for 3yz, which has
 * none (RFC 3463 §2, RFC 3461 §6.3).
 */
export function fallbackStatus(code: number): Status | undefined {
  const digit = Math.trunc(code / 100);
  if (digit !== 2 && digit !== 4 && digit !== 5) return undefined;
  return statusOfCode[code] ?? `${digit}.0.0`;
}
