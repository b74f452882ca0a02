import type { Ask } from './ask.ts';
import type { RecordType, RecordValues } from './lookup.ts';
import { mostAliases, readAnswer } from './read-answer.ts';
import type { Answer } from './resolver.ts';

/** An answer, how many seconds it may be kept, and the octets that it took. */
export interface Followed<T> {
  readonly answer: Answer<T>;
  readonly ttl: number;
  readonly size: number;
}

/** Asks for records, and on for those of the names that aliases lead to (RFC 1034 §5.2.2). */
export async function follow<T extends RecordType>(
  ask: Ask,
  question: { readonly type: T; readonly name: string },
  signal: AbortSignal,
): Promise<Followed<RecordValues[T]>> {
  let name = question.name;
  let ttl = Number.POSITIVE_INFINITY;
  let secure = true;
  let size = 0;
  for (let hops = 0; hops <= mostAliases; hops += 1) {
    const asked = await ask({ type: question.type, name }, signal);
    if (asked.kind === 'failed') return { answer: asked, ttl: 0, size };
    // A chain is as secure as the weakest of its links.
    secure &&= asked.secure;
    size += asked.reply.size;
    const reading = readAnswer(asked.reply, { type: question.type, name }, secure);
    ttl = Math.min(ttl, reading.ttl);
    if (reading.kind === 'answer') return { answer: named(reading.answer, name, question.name), ttl, size };
    name = reading.target;
  }
  return { answer: { kind: 'failed', text: 'the aliases form a loop or a chain too long' }, ttl: 0, size };
}

/** With the name that aliases of earlier replies have led to. */
function named<T>(answer: Answer<T>, name: string, asked: string): Answer<T> {
  return answer.kind === 'found' && name !== asked ? { canonical: name, ...answer } : answer;
}
