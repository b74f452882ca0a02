import { parseBase64 } from '../bytes/base64.ts';
import type { Command } from '../command/command.ts';
import { isPositive, type Reply, reply } from '../reply/reply.ts';
import type { Channel } from '../sasl/channel.ts';
import type { Credentials, ServerExchange, ServerStep } from '../sasl/mechanism.ts';
import type { ScramKeys } from '../sasl/scram-keys.ts';
import { authLineLimit } from './command-line.ts';
import type { Dialogue, Verdict } from './dialogue.ts';
import type { Question } from './server-event.ts';
import { serverReply } from './server-reply.ts';
import type { Step } from './server-text.ts';

const empty = Buffer.alloc(0);

/** Begins an exchange (RFC 4954 §4). */
export function beginAuth(dialogue: Dialogue, command: Command & { verb: 'AUTH' }): Question | undefined {
  const mechanism = dialogue.rules.mechanisms.find(({ name }) => name === command.mechanism);
  if (mechanism === undefined || !dialogue.offer.mechanisms.includes(mechanism.name)) {
    return dialogue.fail(serverReply.authMechanism);
  }
  const { initial } = command;
  const bytes = initial === '=' ? empty : initial === undefined ? undefined : parseBase64(initial);
  if (initial !== undefined && bytes === undefined) return dialogue.fail(serverReply.authBase64);
  const exchange = mechanism.server(channelOf(dialogue));
  dialogue.exchange = exchange;
  return advance(dialogue, exchange.begin(bytes));
}

function channelOf({ tls, offer }: Dialogue): Channel {
  return {
    offered: offer.mechanisms,
    ...(tls?.binding === undefined ? {} : { binding: tls.binding }),
    ...(tls?.certificate === undefined ? {} : { certificate: tls.certificate }),
  };
}

/** Takes the client's next message (RFC 4954 §4). */
export function readAuthLine(dialogue: Dialogue, exchange: ServerExchange): Step {
  const line = dialogue.input.takeLine(authLineLimit);
  if (line === undefined) return 'more';
  const text = line === 'too long' ? line : line.toString('latin1');
  const bytes = parseBase64(text);
  const { verdict } = dialogue;
  // Who is not let in has nothing more to say that matters.
  if (verdict !== undefined && 'code' in verdict) conclude(dialogue, verdict);
  else if (line === 'too long') stop(dialogue, serverReply.authLineTooLong);
  else if (text === '*') stop(dialogue, serverReply.authCancelled);
  else if (bytes === undefined) stop(dialogue, serverReply.authBase64);
  else if (verdict === undefined) return advance(dialogue, exchange.next(bytes)) ?? 'done';
  else if (bytes.length > 0) stop(dialogue, serverReply.authMalformed);
  else conclude(dialogue, verdict);
  return 'done';
}

function advance(dialogue: Dialogue, step: ServerStep): Question | undefined {
  switch (step.kind) {
    case 'challenge':
      return ask(dialogue, step.bytes.toString('base64'));
    case 'prompt':
      return ask(dialogue, step.text);
    case 'keys':
      return { kind: 'keys', request: step.request };
    case 'verify':
      return { kind: 'authenticate', credentials: step.credentials };
    case 'refused':
      return conclude(dialogue, serverReply.authInvalid);
    default:
      return stop(dialogue, step.kind === 'early' ? serverReply.authEarly : serverReply.authMalformed);
  }
}

function ask(dialogue: Dialogue, challenge: string): undefined {
  dialogue.reading = 'sasl';
  dialogue.writePlain(reply(334, undefined, challenge));
}

function end(dialogue: Dialogue): void {
  dialogue.exchange = undefined;
  dialogue.verdict = undefined;
  dialogue.reading = 'command';
}

function stop(dialogue: Dialogue, refusal: Reply): undefined {
  end(dialogue);
  return dialogue.fail(refusal);
}

/** Goes on with what the application knows of a user; without it as if it were there (RFC 5802 §3). */
export function takeKeys(dialogue: Dialogue, answer: ScramKeys | Verdict | undefined): undefined {
  const keys = answer !== undefined && 'storedKey' in answer ? answer : undefined;
  const step = answer === keys ? dialogue.exchange?.take?.(keys) : undefined;
  if (step === undefined) conclude(dialogue, asVerdict(answer !== undefined && 'code' in answer ? answer : undefined));
  else advance(dialogue, step);
}

/** Ends an exchange with what the application found, behind the last word that the mechanism has (RFC 4954 §6). */
export function concludeAuth(dialogue: Dialogue, credentials: Credentials, answer: Verdict | undefined): undefined {
  const given = asVerdict(answer);
  const isUnproven = 'login' in given && 'proven' in credentials && !credentials.proven;
  const verdict = isUnproven ? serverReply.authInvalid : given;
  const word = dialogue.exchange?.lastWord?.('login' in verdict);
  // A failure of ours says nothing of the client's token.
  if (word === undefined || verdict === serverReply.authUnavailable) return conclude(dialogue, verdict);
  dialogue.verdict = verdict;
  return ask(dialogue, word.toString('base64'));
}

/** Only an identity lets somebody in: no answer, or a positive reply without one, is a fault of the application. */
function asVerdict(answer: Verdict | undefined): Verdict {
  if (answer !== undefined && 'login' in answer) return answer;
  const isFault = answer === undefined || answer === serverReply.failed || isPositive(answer);
  return isFault ? serverReply.authUnavailable : answer;
}

function conclude(dialogue: Dialogue, verdict: Verdict): undefined {
  if ('login' in verdict) {
    end(dialogue);
    dialogue.login = verdict.login;
    dialogue.write(serverReply.authenticated);
    return;
  }
  const { authFailures, errorDelay } = dialogue.rules.limits;
  dialogue.authFailures += 1;
  stop(dialogue, verdict);
  // Each failure waits longer than the last, whoever the user was, so that guessing is slow and time tells nothing.
  dialogue.delay = Math.max(dialogue.delay, errorDelay * (dialogue.authFailures - 1));
  if (dialogue.authFailures >= authFailures) dialogue.farewell('authFailures');
}
