import { type IncomingMessage, request } from 'node:http';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { QueuedMessage, QueueQuery } from '../queue/queue-store.ts';
import type { ControlStatus, ReloadResult } from './control-status.ts';
import type { FetchControl, FetchState } from './fetch-control.ts';
import { noServer } from './no-server.ts';
import type { ActionResult, QueueControl } from './queue-control.ts';
import { formatQuery } from './queue-query.ts';

/** The control of an agent that another process runs. Everything rejects with Failure `refused` when none runs. */
export interface ControlClient {
  readonly queue: QueueControl;
  status(): Promise<ControlStatus>;
  reload(): Promise<ReloadResult>;
  readonly fetch: FetchControl;
}

const answerTime = 60_000;
/** More than the largest page: one message has 10,000 recipients at most. */
const largestAnswer = 64 * 2 ** 20;
const pageLimit = 1000;

/** Makes a client for the socket of an agent; nothing is opened before the first question. */
export function createControlClient(path: string): ControlClient {
  const expect = async <T>(
    method: 'GET' | 'POST',
    target: string,
    codes: readonly number[],
    body?: unknown,
  ): Promise<T> => {
    const { code, text } = await exchange(path, { method, target, ...(body === undefined ? {} : { body }) });
    const answer = readJson(text);
    if (codes.includes(code)) return answer as T;
    throw new Failure('protocol', `The running server answers ${code}: ${(answer as { error?: string }).error ?? ''}`);
  };
  return {
    status: () => expect('GET', '/status', [200]),
    reload: () => expect('POST', '/reload', [200, 422]),
    fetch: {
      start: async (request) => (await expect<{ id: string }>('POST', '/fetch', [202], request)).id,
      async state(id) {
        const found = await expect<Partial<FetchState>>('GET', `/fetch/${encodeURIComponent(id)}`, [200, 404]);
        return found.messages === undefined ? undefined : (found as FetchState);
      },
    },
    queue: {
      list: (query = {}) => listPages((part) => expect('GET', `/queue?${formatQuery(part)}`, [200]), query),
      async get(id) {
        const { envelope, state } = await expect<Partial<QueuedMessage>>(
          'GET',
          `/queue/${encodeURIComponent(id)}`,
          [200, 404],
        );
        return envelope === undefined || state === undefined ? undefined : { envelope, state };
      },
      async act(id, action) {
        const target = `/queue/${encodeURIComponent(id)}/${action}`;
        return (await expect<{ result: ActionResult }>('POST', target, [200])).result;
      },
    },
  };
}

interface Page {
  readonly messages: readonly QueuedMessage[];
  readonly next?: string;
}

/** Page after page, so that neither side has to hold a long queue. */
async function* listPages(ask: (query: QueueQuery) => Promise<Page>, query: QueueQuery): AsyncIterable<QueuedMessage> {
  let left = query.limit ?? pageLimit;
  let { after } = query;
  while (left > 0) {
    const limit = Math.min(left, pageLimit);
    const { messages, next } = await ask({ ...query, limit, ...(after === undefined ? {} : { after }) });
    yield* messages;
    left -= messages.length;
    after = next ?? messages.at(-1)?.envelope.id;
    if (messages.length === 0 || (next === undefined && messages.length < limit)) return;
  }
}

function exchange(
  path: string,
  { method, target, body }: { method: string; target: string; body?: unknown },
): Promise<{ code: number; text: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(answerTime);
    const outgoing = request({ socketPath: path, method, path: target, signal, agent: false }, (response) => {
      readText(response).then((text) => resolve({ code: response.statusCode ?? 0, text }), reject);
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => reject(toFailure(error, signal)));
    // With its length, which the server wants to know before.
    const octets = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    if (octets !== undefined) outgoing.setHeader('content-length', octets.length);
    outgoing.end(octets);
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > largestAnswer) throw new Failure('limit', 'The running server answers with too much');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure('protocol', 'The running server answers with something else than JSON', cause);
  }
}

function toFailure(error: NodeJS.ErrnoException, signal: AbortSignal): Failure {
  if (signal.aborted) return new Failure('timeout', 'The running server does not answer', error);
  const none = error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
  if (none) return noServer(error);
  return new Failure('lost', `The running server cannot be reached: ${error.message}`, error);
}
