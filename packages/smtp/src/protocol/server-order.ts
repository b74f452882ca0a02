import type { Command, Verb } from '../command/command.ts';
import type { Reply } from '../reply/reply.ts';
import type { Dialogue } from './dialogue.ts';
import { serverReply } from './server-reply.ts';
import type { ServerInput } from './server-table.ts';

/** Verbs that open a transaction (RFC 5321 §4.1.1.2, RFC 821 §3.4). */
const opening: ReadonlySet<string> = new Set(['MAIL', 'SEND', 'SOML', 'SAML']);
/** What on-demand relay knows; its own states are `greeted` and `ready` (RFC 2645 §5.4). */
const onDemand: ReadonlySet<Verb> = new Set(['EHLO', 'STARTTLS', 'AUTH', 'ATRN', 'QUIT']);
/** What belongs to no transaction, and is not answered within one (RFC 1985 §5, RFC 821 §3.8). */
const outside: ReadonlySet<Verb> = new Set(['ETRN', 'ATRN', 'TURN']);
/** What may come before TLS where that is needed (RFC 3207 §4). */
const beforeTls: ReadonlySet<Verb> = new Set(['EHLO', 'HELO', 'LHLO', 'NOOP', 'RSET', 'QUIT', 'STARTTLS']);
/** What may come before AUTH where that is needed (RFC 4954 §6). */
const beforeAuth: ReadonlySet<Verb> = new Set([...beforeTls, 'AUTH', 'HELP']);

/** Whether the verb opens a transaction (RFC 5321 §4.1.1.2, RFC 821 §3.4). */
export function isOpening(verb: string): boolean {
  return opening.has(verb);
}

/** Whether the verb is on offer here at all, in whatever state. */
export function isServed(dialogue: Dialogue, verb: Verb): boolean {
  const { rules } = dialogue;
  if (rules.role === 'odmr' && !onDemand.has(verb)) return false;
  if (verb === 'EHLO' || verb === 'HELO') return !dialogue.isLmtp;
  if (verb === 'LHLO') return dialogue.isLmtp;
  if (verb === 'EXPN') return rules.expand;
  if (verb !== 'MAIL' && isOpening(verb)) return rules.extensions.terminals === true && !dialogue.isLmtp;
  if (verb === 'STARTTLS') return rules.startTls;
  if (verb === 'AUTH') return rules.mechanisms.length > 0;
  if (verb === 'ETRN') return rules.etrn;
  if (verb === 'ATRN') return rules.atrn;
  // A text that the server fetches for its client (RFC 4468 §3).
  if (verb === 'BURL') return false;
  if (verb === 'TURN') return rules.turn && dialogue.login !== undefined;
  return true;
}

/** The reply that keeps a command from being carried out; undefined when it is in order (RFC 5321 §4.1.4). */
export function whyNot(dialogue: Dialogue, command: Command): Reply | undefined {
  const { verb } = command;
  if (dialogue.state === 'refused') return verb === 'QUIT' ? undefined : dialogue.refusal;
  if (verb === 'STARTTLS' && dialogue.tls !== undefined) return serverReply.tlsActive;
  if (!isServed(dialogue, verb)) return notServedReply(dialogue, verb);
  if (dialogue.rules.requireTls && dialogue.tls === undefined && !beforeTls.has(verb)) return serverReply.tlsNeeded;
  if (verb === 'AUTH') return whyNotAuth(dialogue);
  const needsLogin = verb === 'ATRN' || (dialogue.rules.requireAuth && !beforeAuth.has(verb));
  if (needsLogin && dialogue.login === undefined) return serverReply.authNeeded;
  const input: ServerInput = command.verb === 'BDAT' && command.last ? 'BDAT LAST' : verb;
  if (dialogue.after(input) === undefined) return outOfOrder(dialogue, verb);
  // Chunks are an extension, in force only after EHLO.
  return verb === 'BDAT' && !dialogue.extensions.has('CHUNKING') ? serverReply.sequence : undefined;
}

function notServedReply({ rules }: Dialogue, verb: Verb): Reply {
  if (rules.role === 'odmr') return serverReply.notServed;
  if (verb === 'EHLO' || verb === 'HELO') return serverReply.smtpOnly;
  if (verb === 'LHLO') return serverReply.lmtpOnly;
  return verb === 'AUTH' ? serverReply.authNotOffered : serverReply.notServed;
}

function whyNotAuth(dialogue: Dialogue): Reply | undefined {
  if (dialogue.login !== undefined) return serverReply.authDone;
  if (dialogue.state === 'greeted') return greetFirst(dialogue);
  if (dialogue.after('AUTH') === undefined) return serverReply.nested;
  return dialogue.extensions.has('AUTH') ? undefined : serverReply.authNotOffered;
}

function greetFirst(dialogue: Dialogue): Reply {
  return dialogue.isLmtp ? serverReply.noLmtpHello : serverReply.noHello;
}

/** Says what is missing, in the words of the state (RFC 5321 §4.1.4). */
function outOfOrder(dialogue: Dialogue, verb: Verb): Reply {
  switch (dialogue.state) {
    case 'greeted':
      return greetFirst(dialogue);
    case 'ready':
      return serverReply.noSender;
    case 'broken':
      return serverReply.chunkFailed;
    case 'chunks':
      return serverReply.chunksBegan;
    case 'resumed':
      return isOpening(verb) ? serverReply.nested : serverReply.recipientsKnown;
    default:
      if (isOpening(verb) || outside.has(verb)) return serverReply.nested;
      return dialogue.isLmtp ? serverReply.noLmtpRecipients : serverReply.noRecipients;
  }
}
