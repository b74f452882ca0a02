import { parseBase64 } from '../bytes/base64.ts';
import type { Command } from '../command/command.ts';
import { isPositive, type Reply, reply } from '../reply/reply.ts';
import type { ServerExchange, ServerStep } from '../sasl/mechanism.ts';
import { authLineLimit } from './command-line.ts';
import type { Dialogue } from './dialogue.ts';
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
  const exchange = mechanism.server();
  return advance(dialogue, exchange, exchange.begin(bytes));
}

/** Takes the client's next message (RFC 4954 §4). */
export function readAuthLine(dialogue: Dialogue, exchange: ServerExchange): Step {
  const line = dialogue.input.takeLine(authLineLimit);
  if (line === undefined) return 'more';
  const text = line === 'too long' ? line : line.toString('latin1');
  const bytes = parseBase64(text);
  if (line === 'too long') stop(dialogue, serverReply.authLineTooLong);
  else if (text === '*') stop(dialogue, serverReply.authCancelled);
  else if (bytes === undefined) stop(dialogue, serverReply.authBase64);
  else return advance(dialogue, exchange, exchange.next(bytes)) ?? 'done';
  return 'done';
}

function advance(dialogue: Dialogue, exchange: ServerExchange, step: ServerStep): Question | undefined {
  if (step.kind === 'challenge') {
    dialogue.exchange = exchange;
    dialogue.reading = 'sasl';
    dialogue.writePlain(reply(334, undefined, step.bytes.toString('base64')));
    return undefined;
  }
  if (step.kind === 'verify') return { kind: 'authenticate', credentials: step.credentials };
  return stop(dialogue, step.kind === 'early' ? serverReply.authEarly : serverReply.authMalformed);
}

function stop(dialogue: Dialogue, refusal: Reply): undefined {
  dialogue.exchange = undefined;
  dialogue.reading = 'command';
  return dialogue.fail(refusal);
}

/** Ends an exchange with what the application found (RFC 4954 §6). */
export function concludeAuth(dialogue: Dialogue, answer: Reply | { readonly login: string } | undefined): undefined {
  if (answer !== undefined && 'login' in answer) {
    dialogue.exchange = undefined;
    dialogue.reading = 'command';
    dialogue.login = answer.login;
    dialogue.write(serverReply.authenticated);
    return;
  }
  // Only an identity lets somebody in: no answer, or a positive reply without one, is a fault of the application.
  const isFault = answer === undefined || answer === serverReply.failed || isPositive(answer);
  const { authFailures, errorDelay } = dialogue.rules.limits;
  dialogue.authFailures += 1;
  stop(dialogue, isFault ? serverReply.authUnavailable : answer);
  // Each failure waits longer than the last, whoever the user was, so that guessing is slow and time tells nothing.
  dialogue.delay = Math.max(dialogue.delay, errorDelay * (dialogue.authFailures - 1));
  if (dialogue.authFailures >= authFailures) dialogue.farewell('authFailures');
}
