import { chmod, mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { Failure } from '@posthorn/smtp/failure/failure';
import { openUnixSocket } from '@posthorn/smtp/net/unix-socket';
import type { QueuedMessage } from '../queue/queue-store.ts';
import type { ControlStatus, ReloadResult } from './control-status.ts';
import { type FetchControl, type FetchState, readFetchRequest } from './fetch-control.ts';
import { type QueueAction, type QueueControl, queueActions } from './queue-control.ts';
import { readQuery } from './queue-query.ts';
import { serveTerminal, type TerminalBook } from './terminal-stream.ts';

/** What is controlled. */
export interface ControlTarget {
  readonly queue: QueueControl;
  /** Absent: nothing is shown on terminals. */
  readonly terminals?: TerminalBook;
  status(): ControlStatus;
  reload(): Promise<ReloadResult>;
  /** Absent: nothing is fetched. */
  readonly fetch?: FetchControl;
}

/** A control server that listens. */
export interface ControlServer {
  close(): Promise<void>;
}

/** An answer: the HTTP status and what is written as JSON. */
interface Answer {
  readonly code: number;
  readonly body: unknown;
}

/** The longest that a request may take, in milliseconds. */
const answerTime = 60_000;
/** Octets of the largest body, which names many domains. */
const largestBody = 65_536;
/** Octets of one page of a listing; behind it the client asks on. */
const pageSize = 4 * 2 ** 20;
const absent: Answer = { code: 404, body: { error: 'There is no such message' } };

/** Lets other processes of the same user control an agent, by HTTP over a UNIX socket. Rejects as listening does. */
export async function startControl(path: string, target: ControlTarget): Promise<ControlServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    if (!serveTerminal(request, response, target.terminals)) void respond(request, response, target);
  });
  server.maxConnections = 32;
  server.on('clientError', (_, socket) => socket.destroy());
  // Only the user of the agent gets past the folder: the socket itself is open to all for a moment.
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await chmod(dirname(path), 0o700);
  await openUnixSocket(server, path);
  await chmod(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(request: IncomingMessage, response: ServerResponse, target: ControlTarget): Promise<void> {
  const timer = setTimeout(() => response.destroy(), answerTime);
  try {
    const { code, body } = await answer(request, target);
    if (!response.destroyed) write(response, code, body);
  } catch (error) {
    const text = error instanceof Failure ? error.message : 'The request failed';
    if (!response.destroyed) write(response, 500, { error: text });
  } finally {
    clearTimeout(timer);
  }
}

function write(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json', connection: 'close' });
  response.end(`${JSON.stringify(body)}\n`);
}

async function answer(request: IncomingMessage, target: ControlTarget): Promise<Answer> {
  const { method = '', headers } = request;
  const length = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity;
  const longest = method === 'POST' && request.url === '/fetch' ? largestBody : 0;
  if (!(length <= longest)) return { code: 413, body: { error: 'Such a body is not taken' } };
  const url = URL.canParse(request.url ?? '', 'http://control')
    ? new URL(request.url ?? '', 'http://control')
    : undefined;
  if (url === undefined) return { code: 400, body: { error: 'The address cannot be read' } };
  const [, id, action] = url.pathname.slice(1).split('/');
  const placeholders = [':id', ':action', ':more'];
  const shape = url.pathname.split('/').map((part, index) => (index < 2 ? part : (placeholders[index - 2] ?? '')));
  switch (`${method} ${shape.join('/')}`) {
    case 'GET /status':
      return { code: 200, body: target.status() };
    case 'POST /reload':
      return answerReload(await target.reload());
    case 'POST /fetch':
      return answerFetch(target.fetch, await readBody(request));
    case 'GET /fetch/:id':
      return answerFetchState(await target.fetch?.state(id ?? ''));
    case 'GET /queue':
      return answerList(target.queue, url.searchParams);
    case 'GET /queue/:id':
      return answerMessage(await target.queue.get(id ?? ''));
    case 'POST /queue/:id/:action':
      return answerAction(target.queue, id ?? '', action ?? '');
    default:
      return { code: 404, body: { error: `There is no ${method} ${url.pathname.slice(0, 100)}` } };
  }
}

/** The body is no longer than its length says, which is bounded. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece);
  try {
    return JSON.parse(Buffer.concat(pieces).toString());
  } catch {
    return undefined;
  }
}

async function answerFetch(fetch: FetchControl | undefined, body: unknown): Promise<Answer> {
  if (fetch === undefined) return { code: 404, body: { error: 'Nothing is fetched here' } };
  const request = readFetchRequest(body);
  if (typeof request === 'string') return { code: 400, body: { error: request } };
  return { code: 202, body: { id: await fetch.start(request) } };
}

function answerFetchState(state: FetchState | undefined): Answer {
  return state === undefined ? { code: 404, body: { error: 'There is no such request' } } : { code: 200, body: state };
}

function answerReload(result: ReloadResult): Answer {
  return { code: result.kind === 'reloaded' ? 200 : 422, body: result };
}

function answerMessage(message: QueuedMessage | undefined): Answer {
  return message === undefined ? absent : { code: 200, body: message };
}

async function answerAction(queue: QueueControl, id: string, action: string): Promise<Answer> {
  if (!isAction(action)) return { code: 404, body: { error: `There is no action ${action.slice(0, 40)}` } };
  return { code: 200, body: { result: await queue.act(id, action) } };
}

function isAction(text: string): text is QueueAction {
  return queueActions.some((action) => action === text);
}

/** One page; `next` says where to go on when there may be more. */
async function answerList(queue: QueueControl, parameters: URLSearchParams): Promise<Answer> {
  const query = readQuery(parameters);
  if (typeof query === 'string') return { code: 400, body: { error: query } };
  const messages: QueuedMessage[] = [];
  let size = 0;
  for await (const message of queue.list(query)) {
    messages.push(message);
    size += JSON.stringify(message).length;
    if (size >= pageSize) return { code: 200, body: { messages, next: message.envelope.id } };
  }
  return { code: 200, body: { messages } };
}
