import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure } from '@posthorn/smtp/failure/failure';
import { formatTarget } from '@posthorn/smtp/net/connect';
import { socketFailure } from '@posthorn/smtp/net/socket-failure';
import type { ContentVerdict, FilteredContent } from './content-verdict.ts';
import type { FilterRules } from './filter-rules.ts';
import { parseRspamdReply } from './rspamd-reply.ts';
import { type RspamdFacts, rspamdHeaders } from './rspamd-request.ts';

/** Octets of the longest answer. */
const mostAnswer = 2 ** 20;

/** What an Rspamd is asked with. */
export interface RspamdQuestion extends RspamdFacts {
  readonly rules: FilterRules;
  readonly signal: AbortSignal;
}

/** Asks an Rspamd by HTTP what it thinks of a message. Rejects with Failure. */
export async function judgeByRspamd(content: FilteredContent, question: RspamdQuestion): Promise<ContentVerdict> {
  const { target, times } = question.rules;
  const what = `the filter at ${formatTarget(target)}`;
  const signal = AbortSignal.any([question.signal, AbortSignal.timeout(times.message)]);
  try {
    const { status, text } = await ask(content, question, signal);
    const verdict = status === 200 ? parseRspamdReply(text) : undefined;
    if (verdict === undefined) throw new Failure('protocol', `${what}: no judgement, but ${status}`);
    return verdict;
  } catch (error) {
    if (question.signal.aborted) throw question.signal.reason;
    if (signal.aborted) throw new Failure('timeout', `${what}: no answer in ${times.message} ms`);
    throw socketFailure(error, what);
  }
}

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

async function ask(content: FilteredContent, question: RspamdQuestion, signal: AbortSignal): Promise<Answer> {
  const { host = 'localhost', port, path } = question.rules.target;
  const where = path === undefined ? { host, port } : { socketPath: path };
  const head = Buffer.concat([...content.fields, content.separator]);
  const headers = { ...rspamdHeaders(question), 'Content-Length': String(head.length + content.bodySize) };
  // A connection for each message: one that was kept may be gone when it is needed.
  const outgoing = request({ ...where, agent: false, method: 'POST', path: '/checkv2', headers, signal });
  boundConnecting(outgoing, question.rules.times.connect);
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).on('error', reject);
  });
  async function* text() {
    yield head;
    yield* content.body();
  }
  const sent = pipeline(Readable.from(text(), { objectMode: false }), outgoing);
  try {
    // It may answer before it has seen all, and close then.
    const answer = await Promise.race([answered, sent.then(() => answered)]);
    return { status: answer.statusCode, text: await readAnswer(answer) };
  } finally {
    outgoing.destroy();
  }
}

function boundConnecting(outgoing: ClientRequest, time: number): void {
  const timer = setTimeout(() => outgoing.destroy(new Failure('timeout', 'no connection')), time);
  const end = () => clearTimeout(timer);
  outgoing.once('close', end).once('socket', (socket) => socket.once('connect', end));
}

async function readAnswer(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > mostAnswer) throw new Failure('limit', `An answer of more than ${mostAnswer} octets`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
