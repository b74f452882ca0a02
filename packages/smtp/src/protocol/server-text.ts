import { isPositive, type Reply, reply } from '../reply/reply.ts';
import type { Chunk, Dialogue } from './dialogue.ts';
import type { ServerEvent } from './server-event.ts';
import { serverReply } from './server-reply.ts';
import { TextIntake } from './text-intake.ts';
import type { TextCommand } from './transaction.ts';

/** What a step through the input gave: an event, nothing worth telling, or the wish for more octets. */
export type Step = ServerEvent | 'done' | 'more';

/** Begins the text of DATA or BDAT. */
export function beginText(dialogue: Dialogue, by: TextCommand): undefined {
  const { rules, transaction } = dialogue;
  const binary = transaction?.mail.body === 'BINARYMIME' ? 'octets' : 'lines';
  const form = by === 'DATA' ? 'stuffed' : binary;
  const { bareLineEnds, limits } = rules;
  dialogue.text = new TextIntake(form, { size: limits.messageSize, bareLineEnds, offset: transaction?.offset ?? 0 });
  dialogue.replied = 0;
}

/** Reads on in the text of DATA (RFC 5321 §4.1.1.4). */
export function readText(dialogue: Dialogue, text: TextIntake): Step {
  if (text.ended) {
    dialogue.reading = 'end';
    return 'done';
  }
  const bytes = text.read(dialogue.input);
  if (bytes !== undefined) return { kind: 'text', bytes };
  return text.ended ? 'done' : 'more';
}

/** Reads on in a BDAT chunk, or throws its octets away (RFC 3030 §2). */
export function readChunk(dialogue: Dialogue, chunk: Chunk): Step {
  const { input, text } = dialogue;
  if (chunk.remaining === 0) return finishChunk(dialogue, chunk);
  const before = input.length;
  if (before === 0) return 'more';
  let bytes: Buffer | undefined;
  if (chunk.refusal === undefined && text !== undefined) bytes = text.read(input, chunk.remaining);
  else input.skip(Math.min(before, chunk.remaining));
  chunk.remaining -= before - input.length;
  return bytes === undefined ? 'done' : { kind: 'text', bytes };
}

function finishChunk(dialogue: Dialogue, chunk: Chunk): Step {
  const { text } = dialogue;
  if (chunk.refusal !== undefined || text === undefined) {
    refuseChunk(dialogue, chunk, chunk.refusal ?? serverReply.sequence);
    return 'done';
  }
  if (chunk.last) {
    const rest = text.finish();
    dialogue.chunk = undefined;
    dialogue.reading = 'end';
    return rest === undefined ? 'done' : { kind: 'text', bytes: rest };
  }
  if (text.refusal === undefined) return { kind: 'chunk', size: chunk.size };
  refuseChunk(dialogue, chunk, text.refusal);
  return 'done';
}

/** Refuses a chunk whose octets are all gone; what became of the transaction follows (RFC 3030 §2). */
function refuseChunk(dialogue: Dialogue, chunk: Chunk, refusal: Reply): undefined {
  const { transaction, state } = dialogue;
  dialogue.chunk = undefined;
  dialogue.reading = 'command';
  dialogue.dropText();
  // In LMTP the last chunk earns as many replies as there are recipients, none if there are none (RFC 2033 §4.3).
  const count = dialogue.isLmtp && chunk.last && transaction !== undefined ? transaction.recipients.length : 1;
  if (transaction !== undefined) {
    const isOver = chunk.last && state !== 'broken' && (state !== 'mail' || dialogue.isLmtp);
    dialogue.enter(isOver ? 'ready' : 'broken');
  }
  if (count > 0) dialogue.fail(refusal);
  for (let index = 1; index < count; index += 1) dialogue.write(refusal);
}

/** Answers a chunk that more will follow. */
export function concludeChunk(dialogue: Dialogue, chunk: Chunk, answer: Reply | undefined): undefined {
  if (answer !== undefined && !isPositive(answer)) return refuseChunk(dialogue, chunk, answer);
  dialogue.chunk = undefined;
  dialogue.reading = 'command';
  dialogue.write(answer ?? reply(250, '2.0.0', `${chunk.size} octets received`));
}

/** The question for the final reply, or for the next of the final replies. */
export function askEnd(dialogue: Dialogue, text: TextIntake): ServerEvent {
  return { kind: 'end', recipient: dialogue.replied, refused: text.refusal };
}

/** A 421 ends the session, which one recipient of several cannot: it is 451 then (RFC 2033 §4.2). */
function forOne(answer: Reply, count: number): Reply {
  return answer.code === 421 && count > 1 ? { ...answer, code: 451 } : answer;
}

/** Gives the final reply; after the last of them the transaction is over (RFC 5321 §4.1.1.4). */
export function concludeText(dialogue: Dialogue, answer: Reply): undefined {
  const count = dialogue.isLmtp ? (dialogue.transaction?.recipients.length ?? 1) : 1;
  dialogue.urgent = true;
  dialogue.replied += 1;
  if (dialogue.replied === count) {
    dialogue.text = undefined;
    dialogue.reading = 'command';
    dialogue.enter(dialogue.after('DATA') ?? dialogue.after('BDAT LAST') ?? 'ready');
  }
  if (isPositive(answer)) {
    dialogue.errors = 0;
    dialogue.dawdled = 0;
  }
  // One message is one fault at most, however many recipients it has.
  if (isPositive(answer) || dialogue.replied > 1) dialogue.write(forOne(answer, count));
  else dialogue.fail(forOne(answer, count));
}
