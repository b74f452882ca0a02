import { parseAddress } from '@posthorn/smtp/address/parse-address';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { Session } from '@posthorn/smtp/server';
import type { Directory, Entry } from '../directory/directory.ts';
import type { Person } from '../directory/name-search.ts';
import type { Disclosure } from './disclosure.ts';
import { moved } from './forward-reply.ts';

/** What VRFY and EXPN are answered from. */
export interface LookUpParts {
  readonly directory: Directory;
  readonly disclosure: Disclosure;
}

const unverified = reply(252, '2.0.0', 'Cannot verify the user, but will take mail for it');
const notOurs = reply(252, '2.0.0', 'Not a domain of this host: the user cannot be verified');
const unknown = reply(550, '5.1.1', 'No such user here');
const disabled = reply(550, '5.2.1', 'The mailbox takes no mail');
const malformed = reply(553, '5.1.3', 'No number that can be dialled');
const denied = reply(550, '5.7.2', 'Access Denied to You');
const ambiguous = 'User ambiguous; the possibilities are';

const tooMany = reply(252, '2.1.5', 'The list has too many members to name them, but will take mail for it');

/** People of one name that are told; of more nobody is. */
const mostChoices = 20;
/** Members of a list that are named. */
const mostMembers = 10_000;

/** Answers VRFY: the truth to those who may know it, to others that nothing is known (RFC 5321 §3.5.3). */
export function verifyUser({ directory, disclosure }: LookUpParts, session: Session, argument: string): Reply {
  if (!disclosure.mayVerify(session)) return unverified;
  const found = findOne(directory, argument);
  if (found.kind === 'several') return tellChoices(found.people, disclosure);
  if (found.kind === 'none') return unknown;
  if (disclosure.isHidden(found.address)) return unverified;
  return tell(found.address, { directory, disclosure, session });
}

/** Answers EXPN: who is on a list or behind an alias, one on each line (RFC 5321 §3.5.1). */
export function expandList({ directory, disclosure }: LookUpParts, session: Session, argument: string): Reply {
  if (!disclosure.mayExpand(session)) return denied;
  const found = findOne(directory, argument);
  if (found.kind === 'several') return tellChoices(found.people, disclosure);
  if (found.kind === 'none') return unknown;
  if (disclosure.isHidden(found.address)) return denied;
  const members = directory.expansionOf(found.address);
  if (members === undefined) return tell(found.address, { directory, disclosure, session });
  if (members.length > mostMembers) return tooMany;
  const lines = members.map((member) => describe(member, directory));
  // An alias of programs and files alone has no members that anybody may write to.
  return lines.length === 0 ? tell(found.address, { directory, disclosure, session }) : reply(250, '2.1.5', ...lines);
}

type Found =
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'several'; readonly people: readonly Person[] }
  | { readonly kind: 'none' };

/** Finds out who is meant: an address, with or without brackets, a local-part, or the name of a person (RFC 5321 §3.5.1). */
function findOne(directory: Directory, argument: string): Found {
  const text = addressIn(argument);
  if (text.includes('@') && parseAddress(text) !== undefined) return { kind: 'address', address: text };
  const atHome = `${text}@${directory.homeDomain}`;
  if (parseAddress(atHome) !== undefined && isSomebody(directory.lookup(atHome))) {
    // At home, whoever is written so is meant, unless others have the same name, too.
    const others = directory.peopleNamed(text);
    if (others.length < 2) return { kind: 'address', address: atHome };
    return { kind: 'several', people: others };
  }
  const people = directory.peopleNamed(text);
  const [only] = people;
  if (only === undefined) return { kind: 'none' };
  return people.length === 1 ? { kind: 'address', address: only.address } : { kind: 'several', people };
}

/** `Name <address>`, `<address>` or what stands there. */
function addressIn(argument: string): string {
  const text = argument.trim();
  const open = text.lastIndexOf('<');
  return open !== -1 && text.endsWith('>') ? text.slice(open + 1, -1) : text;
}

function isSomebody({ kind }: Entry): boolean {
  return kind !== 'unknown-mailbox' && kind !== 'foreign' && kind !== 'relay';
}

interface Asked extends LookUpParts {
  readonly session: Session;
}

function tell(address: string, { directory, disclosure, session }: Asked): Reply {
  const entry = directory.lookup(address);
  switch (entry.kind) {
    case 'mailbox':
      return entry.disabled === true ? disabled : reply(250, '2.1.5', describe(entry.address, directory));
    case 'alias':
    case 'list':
      return reply(250, '2.1.5', `<${entry.address}>`);
    case 'forward':
      return moved(entry, disclosure.mayLearnForward(session)) ?? reply(250, '2.1.5', `<${entry.address}>`);
    case 'gateway':
    case 'relay':
      return unverified;
    case 'malformed':
      return malformed;
    case 'unknown-mailbox':
      return unknown;
    case 'foreign':
      return notOurs;
  }
}

function tellChoices(people: readonly Person[], disclosure: Disclosure): Reply {
  const shown = people.filter(({ address }) => !disclosure.isHidden(address));
  if (shown.length > mostChoices || shown.length < 2) return reply(553, '5.1.4', 'User ambiguous');
  return reply(553, '5.1.4', ambiguous, ...shown.map(formatPerson));
}

/** The full name where there is one, and an address that RCPT takes (RFC 5321 §3.5.1). */
function describe(address: string, directory: Directory): string {
  const entry = directory.lookup(address);
  const fullName = entry.kind === 'mailbox' ? entry.fullName : undefined;
  return formatPerson(fullName === undefined ? { address } : { address, fullName });
}

function formatPerson({ address, fullName }: Person): string {
  if (fullName === undefined) return `<${address}>`;
  const isPlain = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~ -]+$/u.test(fullName);
  return `${isPlain ? fullName : `"${fullName}"`} <${address}>`;
}
