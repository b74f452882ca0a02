import type { ReversePath } from '../address/mailbox.ts';
import type { Command } from '../command/command.ts';
import { fault } from '../command/fault.ts';
import { readMailParameters, readRcptParameters } from '../command/parameters.ts';
import { parseAtrn, parseEtrn } from '../command/turn-arguments.ts';
import type { Reply } from '../reply/reply.ts';
import { isAscii } from './command-line.ts';
import type { Dialogue } from './dialogue.ts';
import { whyNotBy, whyNotSolicited } from './envelope-rules.ts';
import { whyNotHold } from './future-release.ts';
import { composeHelp } from './help.ts';
import { beginAuth } from './server-auth.ts';
import type { Question } from './server-event.ts';
import { isOpening, whyNot } from './server-order.ts';
import { serverReply } from './server-reply.ts';

type MailCommand = Extract<Command, { readonly reversePath: ReversePath }>;
type RcptCommand = Extract<Command, { readonly verb: 'RCPT' }>;
type BdatCommand = Extract<Command, { readonly verb: 'BDAT' }>;
type LookCommand = Extract<Command, { readonly argument: string }>;

/**
 * Obeys one command: refuses what is out of order, does what needs no decision of the application, and gives the question
 * for what does.
 */
export function obey(dialogue: Dialogue, command: Command): Question | undefined {
  count(dialogue, command.verb);
  const refusal = whyNot(dialogue, command);
  if (command.verb === 'BDAT') return readyChunk(dialogue, command, refusal);
  return refusal === undefined ? carryOut(dialogue, command) : dialogue.fail(refusal);
}

function carryOut(dialogue: Dialogue, command: Exclude<Command, BdatCommand>): Question | undefined {
  switch (command.verb) {
    case 'EHLO':
    case 'HELO':
    case 'LHLO':
      return { kind: 'hello', hello: command };
    case 'MAIL':
    case 'SEND':
    case 'SOML':
    case 'SAML':
      return mail(dialogue, command);
    case 'RCPT':
      return recipient(dialogue, command);
    case 'DATA':
      return data(dialogue);
    case 'AUTH':
      return beginAuth(dialogue, command);
    case 'ETRN':
      return etrn(dialogue, command.argument);
    case 'ATRN':
      return atrn(dialogue, command.argument);
    case 'TURN':
      return { kind: 'turn' };
    case 'STARTTLS':
      return { kind: 'starttls' };
    case 'VRFY':
    case 'EXPN':
      return look(dialogue, command);
    default:
      return settleAtOnce(dialogue, command);
  }
}

function settleAtOnce(dialogue: Dialogue, command: Command): undefined {
  dialogue.urgent = true;
  if (command.verb === 'HELP') dialogue.conclude(composeHelp(dialogue, command.argument));
  else settleState(dialogue, command);
  if (dialogue.state !== 'over') dialogue.dawdle();
}

function settleState(dialogue: Dialogue, command: Command): undefined {
  const state = dialogue.after(command.verb) ?? dialogue.state;
  if (command.verb === 'RSET') dialogue.dropText();
  if (command.verb === 'RSET' || command.verb === 'QUIT') dialogue.forget();
  if (command.verb !== 'NOOP') dialogue.enter(state);
  dialogue.write(command.verb === 'QUIT' ? serverReply.goodbye : serverReply.ok);
  if (command.verb === 'QUIT') dialogue.end();
}

/** MAILMAX and RCPTMAX count commands, whatever becomes of them (RFC 9422 §4). */
export function count(dialogue: Dialogue, verb: string): void {
  if (isOpening(verb)) dialogue.mails += 1;
  else if (verb === 'RCPT') dialogue.rcpts += 1;
}

function mail(dialogue: Dialogue, command: MailCommand): Question | undefined {
  const { mails, messageSize } = dialogue.rules.limits;
  if (mails > 0 && dialogue.mails > mails) return dialogue.farewell('mails');
  const read = readMailParameters(command.parameters, dialogue.extensions);
  if ('code' in read) return dialogue.fail(read);
  const refusal =
    notAscii(command, read.smtputf8 === true, serverReply.senderNotAscii) ??
    (messageSize > 0 && (read.size ?? 0) > messageSize ? serverReply.tooBig : undefined) ??
    whyNotBy(dialogue, read) ??
    whyNotHold(dialogue, read);
  if (refusal !== undefined) return dialogue.fail(refusal);
  const verb = command.verb === 'MAIL' ? {} : { verb: command.verb };
  const transaction = { ...verb, reversePath: command.reversePath, mail: read, recipients: [] };
  dialogue.forget();
  dialogue.next = { kind: 'mail', transaction };
  return undefined;
}

function recipient(dialogue: Dialogue, command: RcptCommand): Question | undefined {
  const { transaction } = dialogue;
  if (transaction === undefined) return dialogue.fail(serverReply.noSender);
  const parameters = readRcptParameters(command.parameters, dialogue.extensions);
  if ('code' in parameters) return dialogue.fail(parameters);
  const refusal =
    notAscii(command, transaction.mail.smtputf8 === true, serverReply.recipientNotAscii) ??
    whyNotSolicited(dialogue, transaction.mail) ??
    tooMany(dialogue, command.forwardPath.domain);
  if (refusal !== undefined) return dialogue.fail(refusal);
  return { kind: 'recipient', recipient: { mailbox: command.forwardPath, parameters }, transaction };
}

/** Letters outside of ASCII need the flag, in the address and in values alike (RFC 6531 §3.4, RFC 6531 §3.5). */
function notAscii(command: MailCommand | RcptCommand, utf8: boolean, refusal: Reply): Reply | undefined {
  if (utf8) return undefined;
  const path = command.verb === 'RCPT' ? command.forwardPath : command.reversePath;
  if (path !== null && !isAscii(path.localPart + path.domain)) return refusal;
  return command.parameters.every(({ value }) => value === undefined || isAscii(value)) ? undefined : fault.parameter;
}

function tooMany(dialogue: Dialogue, name: string): Reply | undefined {
  const { recipients, recipientDomains } = dialogue.rules.limits;
  if (dialogue.rcpts > recipients) return serverReply.tooManyRecipients;
  if (recipientDomains === 0) return undefined;
  dialogue.domains ??= new Set();
  const { domains } = dialogue;
  const domain = name.toLowerCase();
  if (!domains.has(domain) && domains.size >= recipientDomains) return serverReply.tooManyDomains;
  domains.add(domain);
  return undefined;
}

function data(dialogue: Dialogue): Question | undefined {
  const { transaction } = dialogue;
  if (transaction === undefined) return dialogue.fail(serverReply.noSender);
  if (transaction.mail.body === 'BINARYMIME') return dialogue.fail(serverReply.binaryByData);
  if (refusesEarlyTalk(dialogue)) return undefined;
  return { kind: 'message', transaction, by: 'DATA' };
}

/** Whether commands lie behind one whose reply a client has to wait for; it then ends the session (RFC 2920 §3.1). */
export function refusesEarlyTalk(dialogue: Dialogue): boolean {
  if (dialogue.rules.earlyTalk === 'allow' || dialogue.input.length === 0) return false;
  dialogue.write(serverReply.earlyCommands);
  dialogue.end();
  return true;
}

function look(dialogue: Dialogue, command: LookCommand): Question | undefined {
  dialogue.urgent = true;
  const { argument, flag } = splitFlag(command.argument);
  const utf8 = flag !== undefined;
  if (argument === '' || (utf8 && flag !== 'SMTPUTF8')) return dialogue.fail(fault.argument);
  if (!utf8 && !isAscii(argument)) return dialogue.fail(serverReply.refusalNotAscii);
  return { kind: command.verb === 'VRFY' ? 'verify' : 'expand', argument, utf8 };
}

function etrn(dialogue: Dialogue, argument: string): Question | undefined {
  const request = parseEtrn(argument);
  return request === undefined ? dialogue.fail(fault.argument) : { kind: 'etrn', request };
}

function atrn(dialogue: Dialogue, argument: string): Question | undefined {
  const domains = parseAtrn(argument);
  return domains === undefined ? dialogue.fail(serverReply.domainList) : { kind: 'atrn', domains };
}

/** Parts what is asked from the flag behind it; `flag` may have a value, which it must not (RFC 6531 §3.4). */
function splitFlag(text: string): { argument: string; flag?: string } {
  const space = text.lastIndexOf(' ');
  const flag = text.slice(space + 1).toUpperCase();
  if (space === -1 || !/^SMTPUTF8(?:=|$)/.test(flag)) return { argument: text };
  return { argument: text.slice(0, space).trimEnd(), flag };
}

/** Turns to the octets of a chunk; a refused one is read as well, and its reply follows its end (RFC 3030 §2). */
function readyChunk(dialogue: Dialogue, { size, last }: BdatCommand, refusal: Reply | undefined): Question | undefined {
  dialogue.chunk = { size, last, remaining: size, refusal };
  dialogue.reading = 'chunk';
  const { transaction, text } = dialogue;
  if (refusal !== undefined || text !== undefined || transaction === undefined) return undefined;
  return { kind: 'message', transaction, by: 'BDAT' };
}
