import { isPositive, isTemporary, type Reply } from '../reply/reply.ts';
import type { ScramKeys } from '../sasl/scram-keys.ts';
import { withoutForward, withoutUtf8 } from './ascii-reply.ts';
import type { Dialogue, OpenTransaction } from './dialogue.ts';
import { announceHold } from './future-release.ts';
import { concludeAuth, takeKeys } from './server-auth.ts';
import { refusesEarlyTalk } from './server-commands.ts';
import type { Hello, Question } from './server-event.ts';
import { serverReply } from './server-reply.ts';
import { isSubmission } from './server-rules.ts';
import { beginText, concludeChunk, concludeText } from './server-text.ts';
import type { Resumption, Transaction } from './transaction.ts';

/**
 * What the application says to a question: nothing accepts, `login` is who an authenticated client is, `storedKey` and its
 * kin what is known of who wants to be one, and with a Resumption MAIL goes on where an earlier session was broken off.
 */
export type Answer = Reply | { readonly login: string } | ScramKeys | Resumption | undefined;

/** Acts on the answer to a question: gives its reply, and changes the state if that is positive. */
export function settle(dialogue: Dialogue, question: Question, answer: Answer): undefined {
  if (answer !== undefined && 'offset' in answer) {
    return question.kind === 'mail'
      ? resume(dialogue, question.transaction, answer)
      : settle(dialogue, question, undefined);
  }
  if (answer !== undefined && 'storedKey' in answer) {
    return question.kind === 'keys' ? takeKeys(dialogue, answer) : settle(dialogue, question, serverReply.failed);
  }
  if (question.kind === 'keys') return takeKeys(dialogue, answer);
  if (question.kind === 'authenticate') return concludeAuth(dialogue, question.credentials, answer);
  const reply = answer !== undefined && 'code' in answer ? sound(answer) : undefined;
  if (reply === undefined || isPositive(reply)) accept(dialogue, question, reply);
  else refuse(dialogue, question, reply);
}

/** A code that cannot go on the wire is a fault of the application (RFC 5321 §4.2). */
function sound(reply: Reply): Reply {
  return Number.isInteger(reply.code) && reply.code >= 200 && reply.code <= 599 ? reply : serverReply.failed;
}

function accept(
  dialogue: Dialogue,
  question: Exclude<Question, { kind: 'authenticate' | 'keys' }>,
  reply?: Reply,
): undefined {
  switch (question.kind) {
    case 'connect':
      return greet(dialogue, reply);
    case 'secured':
      dialogue.reading = 'command';
      return undefined;
    case 'hello':
      return welcome(dialogue, question.hello);
    case 'starttls':
      return awaitTls(dialogue);
    case 'mail':
      dialogue.enter('mail');
      open(dialogue, question.transaction as OpenTransaction);
      return dialogue.write(reply ?? serverReply.sender);
    case 'recipient':
      return addRecipient(dialogue, question, reply);
    case 'message':
      return awaitText(dialogue);
    case 'chunk':
      return dialogue.chunk && concludeChunk(dialogue, dialogue.chunk, reply);
    case 'end':
      return concludeText(dialogue, question.refused ?? reply ?? serverReply.accepted);
    case 'etrn':
      return dialogue.write(reply ?? serverReply.queueStarted);
    case 'atrn':
    case 'turn':
      dialogue.write(reply ?? serverReply.turning);
      return dialogue.turn();
    case 'verify':
    case 'expand':
      dialogue.write(fit(question, reply ?? serverReply.unverified));
      return dialogue.dawdle();
    case 'abort':
    case 'forget':
      return undefined;
  }
}

function open(dialogue: Dialogue, transaction: OpenTransaction): undefined {
  dialogue.rcpts = 0;
  dialogue.transaction = transaction;
  if (transaction.mail.transactionId !== undefined) dialogue.promised = true;
}

/** Goes on where an earlier session was broken off: the count is the first word, and there is no status (RFC 1845 §3). */
function resume(dialogue: Dialogue, transaction: Transaction, { offset, recipients, by }: Resumption): undefined {
  dialogue.enter(by === 'BDAT' ? 'chunks' : 'resumed');
  open(dialogue, { ...transaction, recipients: [...recipients], offset });
  dialogue.writePlain({ code: 355, lines: [`${offset} is the transaction offset`] });
}

function refuse(
  dialogue: Dialogue,
  question: Exclude<Question, { kind: 'authenticate' | 'keys' }>,
  reply: Reply,
): undefined {
  switch (question.kind) {
    case 'connect':
      return turnAway(dialogue, reply);
    case 'secured':
      dialogue.reading = 'command';
      dialogue.refusal = reply;
      return dialogue.enter('refused');
    case 'recipient':
      return dialogue.fail(question.transaction.mail.smtputf8 ? reply : withoutForward(reply));
    case 'message':
      if (dialogue.chunk === undefined) return dialogue.fail(reply);
      dialogue.chunk.refusal = reply;
      return undefined;
    case 'chunk':
      return dialogue.chunk && concludeChunk(dialogue, dialogue.chunk, reply);
    case 'end':
      return concludeText(dialogue, question.refused ?? reply);
    case 'verify':
    case 'expand':
      return dialogue.fail(fit(question, reply));
    case 'abort':
    case 'forget':
      return undefined;
    default:
      return dialogue.fail(reply);
  }
}

function greet(dialogue: Dialogue, reply: Reply | undefined): undefined {
  const { hostname, earlyTalk } = dialogue.rules;
  dialogue.reading = 'command';
  if (earlyTalk === 'refuse' && dialogue.input.length > 0) {
    dialogue.write(isSubmission(dialogue.rules.role) ? serverReply.earlyCommands : serverReply.earlyGreeting);
    return dialogue.end();
  }
  const protocol = dialogue.isLmtp ? 'LMTP' : 'ESMTP';
  dialogue.writePlain(reply ?? { code: 220, lines: [`${hostname} ${protocol} ready`] });
}

/**
 * A greeting is 220, 421, 521 or 554, never 521 on submission; after 554 the client may still say QUIT (RFC 5321 §3.1,
 * RFC 7504 §2, RFC 6409 §7).
 */
function turnAway(dialogue: Dialogue, reply: Reply): undefined {
  dialogue.reading = 'command';
  const code = isTemporary(reply) ? 421 : reply.code === 521 && !isSubmission(dialogue.rules.role) ? 521 : 554;
  dialogue.writePlain({ ...reply, code });
  if (code === 554) dialogue.enter('refused');
  else dialogue.end();
}

function welcome(dialogue: Dialogue, hello: Hello): undefined {
  if (refusesEarlyTalk(dialogue)) return;
  dialogue.dropText();
  dialogue.enter(dialogue.after(hello.verb) ?? 'ready');
  dialogue.hello = hello;
  dialogue.urgent = true;
  if (hello.verb === 'HELO') dialogue.writePlain({ code: 250, lines: [dialogue.rules.hostname] });
  else dialogue.writePlain(announceHold(dialogue));
  return dialogue.dawdle();
}

/** Octets that came in before the handshake may be an attacker's: they are never read (RFC 3207 §4.2). */
function awaitTls(dialogue: Dialogue): undefined {
  dialogue.dropText();
  dialogue.enter(dialogue.after('STARTTLS') ?? 'greeted');
  dialogue.write(serverReply.startTls);
  dialogue.input.clear();
  dialogue.reading = 'tls';
}

function addRecipient(
  dialogue: Dialogue,
  question: Question & { kind: 'recipient' },
  reply: Reply | undefined,
): undefined {
  dialogue.transaction?.recipients.push(question.recipient);
  dialogue.enter(dialogue.after('RCPT') ?? 'rcpt');
  // Lists with some stale addresses are no dictionary attack.
  if (dialogue.errors > 0) dialogue.errors -= 1;
  const positive = reply ?? serverReply.recipient;
  dialogue.write(question.transaction.mail.smtputf8 ? positive : withoutForward(positive));
}

function awaitText(dialogue: Dialogue): undefined {
  if (dialogue.chunk !== undefined) {
    beginText(dialogue, 'BDAT');
    if (!dialogue.chunk.last) dialogue.enter(dialogue.after('BDAT') ?? 'chunks');
    return;
  }
  beginText(dialogue, 'DATA');
  dialogue.reading = 'text';
  dialogue.urgent = true;
  const offset = dialogue.transaction?.offset;
  if (offset === undefined) dialogue.writePlain(serverReply.startText);
  else dialogue.writePlain({ code: 354, lines: [`Continue at octet ${offset}`] });
}

function fit(question: Question & { kind: 'verify' | 'expand' }, reply: Reply): Reply {
  return question.utf8 ? reply : withoutUtf8(reply);
}
