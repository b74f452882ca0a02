import type { IncomingMessage, ServerResponse } from 'node:http';

/** Where terminals are announced that show mail (RFC 821 §3.4). */
export interface TerminalBook {
  /** Gives what takes the terminal back, or says why it cannot be announced. */
  announce(
    address: string,
    terminal: { show(text: string): Promise<boolean> },
  ): (() => void) | 'no mailbox' | 'too many';
}

const place = '/terminal?';
/** A line without content now and then shows either side that the other is still there. */
const pulse = 30_000;
const patience = 5_000;
/** Octets that may wait for a terminal that is held. */
const mostWaiting = 2 ** 18;
const refusals = {
  'no mailbox': { code: 404, error: 'There is no such mailbox here' },
  'too many': { code: 503, error: 'There are too many terminals' },
} as const;
const none = { code: 404, error: 'Nothing is shown on terminals: the configuration has none' };

/** Serves `GET /terminal?address=…`: each text that comes for the address is a line of JSON. Whether the request is one. */
export function serveTerminal(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  book: TerminalBook | undefined,
): boolean {
  if (method !== 'GET' || !url.startsWith(place)) return false;
  const address = new URLSearchParams(url.slice(place.length)).get('address') ?? '';
  const announced = book?.announce(address, { show: (text) => writeLine(response, JSON.stringify(text)) });
  if (announced === undefined) refuse(response, none);
  else if (typeof announced === 'string') refuse(response, refusals[announced]);
  else keepOpen(response, announced);
  return true;
}

function refuse(response: ServerResponse, { code, error }: { readonly code: number; readonly error: string }): void {
  response.writeHead(code, { 'content-type': 'application/json', connection: 'close' });
  response.end(`${JSON.stringify({ error })}\n`);
}

function keepOpen(response: ServerResponse, takeBack: () => void): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
  response.write('\n');
  const timer = setInterval(
    () => (response.writableLength > mostWaiting ? response.destroy() : response.write('\n')),
    pulse,
  );
  response.once('close', () => {
    clearInterval(timer);
    takeBack();
  });
}

/** Whether the line left in time. */
function writeLine(response: ServerResponse, line: string): Promise<boolean> {
  if (response.destroyed || response.writableLength > mostWaiting) return Promise.resolve(false);
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patience, false);
    response.write(`${line}\n`, (error) => {
      clearTimeout(timer);
      resolve(error === undefined || error === null);
    });
  });
}
