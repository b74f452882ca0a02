import type { RcptParameters } from '../command/parameters.ts';
import type { Capabilities } from './client-capabilities.ts';
import type { Privacy } from './client-setup.ts';
import type { ClientTransaction, LocalRefusal } from './client-transaction.ts';

/** The host that a transaction is for, and the way there. */
export interface Host {
  readonly capabilities: Capabilities;
  readonly privacy: Privacy;
  readonly isLast: boolean;
}

type Search = (transaction: ClientTransaction, host: Host) => LocalRefusal | undefined;

/** 8-bit text and a host that takes 7 bits (RFC 6152 §3). */
export const eightBitLack: LocalRefusal = {
  status: '5.6.3',
  text: 'The host does not offer 8BITMIME, which the message needs',
};

/** What would be broken if the rest went without it; all else that a host does not offer is left out (RFC 5321 §4.1.1.11). */
const searches: readonly Search[] = [findUtf8Lack, findBodyLack, findSizeLack, findTlsLack, findTimeLack, findHoldLack];

/** What the host lacks for a message; undefined when it can be tried. */
export function findLack(transaction: ClientTransaction, host: Host): LocalRefusal | undefined {
  for (const search of searches) {
    const lack = search(transaction, host);
    if (lack !== undefined) return lack;
  }
  return undefined;
}

/** What the host lacks for one recipient (RFC 7293 §5.1.1). */
export function findRecipientLack({ rrvs }: RcptParameters, { offered }: Capabilities): LocalRefusal | undefined {
  if (rrvs?.fallback !== 'R' || offered.has('RRVS')) return undefined;
  return { status: '5.7.19', text: 'The host does not offer RRVS, which the recipient needs' };
}

function findUtf8Lack(transaction: ClientTransaction, { capabilities }: Host): LocalRefusal | undefined {
  if (!transaction.international || capabilities.offered.has('SMTPUTF8')) return undefined;
  const status = transaction.hasForeignAddress() ? '5.6.7' : '5.6.9';
  return { status, text: 'The host does not offer SMTPUTF8, which the message needs' };
}

function findBodyLack(transaction: ClientTransaction, { capabilities }: Host): LocalRefusal | undefined {
  const { offered } = capabilities;
  const { body } = transaction.mail;
  if (body === 'BINARYMIME' && !(offered.has('CHUNKING') && offered.has('BINARYMIME'))) {
    return { status: '5.6.3', text: 'The host does not offer BINARYMIME, which the message needs' };
  }
  // Pieces may still turn out to be of 7 bits; they are looked at as they come.
  const certain = transaction.text !== undefined || body !== undefined;
  return certain && transaction.eightBit && !offered.has('8BITMIME') ? eightBitLack : undefined;
}

function findSizeLack(transaction: ClientTransaction, { capabilities }: Host): LocalRefusal | undefined {
  const size = transaction.size ?? 0;
  if (capabilities.size === undefined || size <= capabilities.size) return undefined;
  return { status: '5.3.4', text: `The message has ${size} octets, the host takes ${capabilities.size}` };
}

/** A report must not be lost for the sake of what it reports on: it goes all the same (RFC 8689 §5). */
function findTlsLack({ mail, request }: ClientTransaction, { capabilities, privacy }: Host): LocalRefusal | undefined {
  if (!mail.requireTls || request.reversePath === null) return undefined;
  if (privacy !== 'verified') return { status: '5.7.10', text: 'The message needs TLS with a verified host' };
  if (capabilities.offered.has('REQUIRETLS')) return undefined;
  return { status: '5.7.30', text: 'The host does not offer REQUIRETLS, which the message needs' };
}

/** Mode N may go anywhere, whatever the time is; and whoever delivers at once needs none (RFC 2852 §4.1.4.1, RFC 2852 §4.1.4.2). */
function findTimeLack({ mail }: ClientTransaction, { capabilities, isLast }: Host): LocalRefusal | undefined {
  const { deliverBy } = mail;
  if (deliverBy?.mode !== 'R') return undefined;
  const { seconds } = deliverBy;
  if (seconds <= 0) return { status: '5.4.7', text: 'The time to deliver the message in is over' };
  if (!capabilities.offered.has('DELIVERBY') && !isLast) {
    return { status: '5.3.3', text: 'The host does not offer DELIVERBY, which the message needs' };
  }
  const minimum = capabilities.deliverByMinimum ?? 0;
  if (seconds >= minimum) return undefined;
  return { status: '5.4.7', text: `The host needs ${minimum} seconds to deliver in, ${seconds} are left` };
}

/** What is to be held must not be on its way before its time (RFC 4865 §4.1). */
function findHoldLack({ mail }: ClientTransaction, { capabilities }: Host): LocalRefusal | undefined {
  const { hold } = mail;
  if (hold === undefined) return undefined;
  const { longestHold } = capabilities;
  if (longestHold === undefined) {
    return { status: '5.3.3', text: 'The host does not offer FUTURERELEASE, which the message needs' };
  }
  const isLong = 'for' in hold ? hold.for > longestHold.seconds : hold.until > longestHold.until;
  return isLong ? { status: '5.5.4', text: 'The host does not hold a message for so long' } : undefined;
}
