import { Agent, type IncomingMessage, request } from 'node:http';
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
const mostIdle = 10;

/** Asks an Rspamd by HTTP what it thinks of messages; connections are used again. */
export class Rspamd {
  readonly #rules: FilterRules;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: mostIdle, timeout: 30_000 });

  constructor(rules: FilterRules) {
    this.#rules = rules;
  }

  /** Judges a message. Rejects with Failure. */
  async judge(
    content: FilteredContent,
    facts: RspamdFacts & { readonly signal: AbortSignal },
  ): Promise<ContentVerdict> {
    const { target, times } = this.#rules;
    const what = `the filter at ${formatTarget(target)}`;
    const head = Buffer.concat([...content.fields, content.separator]);
    const deadline = AbortSignal.any([facts.signal, AbortSignal.timeout(times.message)]);
    try {
      const [answer] = await this.#exchange(content, {
        head,
        signal: deadline,
        headers: { ...rspamdHeaders(facts), 'Content-Length': String(head.length + content.bodySize) },
      });
      const text = await readAnswer(answer, what);
      const verdict = answer.statusCode === 200 ? parseRspamdReply(text) : undefined;
      if (verdict === undefined) throw new Failure('protocol', `${what}: no judgement, but ${answer.statusCode}`);
      return verdict;
    } catch (error) {
      if (facts.signal.aborted) throw facts.signal.reason;
      if (deadline.aborted) throw new Failure('timeout', `${what}: no answer in ${times.message} ms`);
      throw socketFailure(error, what);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #exchange(
    content: FilteredContent,
    { head, headers, signal }: { head: Buffer; headers: Record<string, string | string[]>; signal: AbortSignal },
  ): Promise<[IncomingMessage]> {
    const { target, times } = this.#rules;
    const { host = 'localhost', port = 11_333, path } = target;
    const where = path === undefined ? { host, port } : { socketPath: path };
    const outgoing = request({ ...where, agent: this.#agent, method: 'POST', path: '/checkv2', headers, signal });
    const connecting = setTimeout(() => outgoing.destroy(new Failure('timeout', 'no connection')), times.connect);
    outgoing.once('socket', (socket) => {
      if (!socket.connecting) clearTimeout(connecting);
      else socket.once('connect', () => clearTimeout(connecting));
    });
    async function* text() {
      yield head;
      yield* content.body();
    }
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve).once('error', reject);
    });
    try {
      // It may answer before it has seen all, and close then.
      const sent = pipeline(Readable.from(text(), { objectMode: false }), outgoing).then(() => answered);
      return [await Promise.race([answered, sent])];
    } finally {
      clearTimeout(connecting);
      outgoing.on('error', () => {});
    }
  }
}

async function readAnswer(answer: IncomingMessage, what: string): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > mostAnswer) throw new Failure('limit', `${what}: an answer of more than ${mostAnswer} octets`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
