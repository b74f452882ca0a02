import { type IncomingMessage, request } from 'node:http';
import { Failure } from '@posthorn/smtp/failure/failure';
import { noServer } from './no-server.ts';

/** What is done with the texts that come. */
export interface TerminalWatch {
  /** An address of a mailbox of the agent. */
  readonly address: string;
  readonly onText: (text: string) => void;
  /** Is told once texts come. */
  readonly onReady?: () => void;
  readonly signal: AbortSignal;
}

/** More than any text has. */
const longestLine = 2 ** 22;

/**
 * Announces a terminal to the agent behind a control socket, and hands on what it is to show; resolves when the signal is
 * aborted. Rejects with Failure `refused` when no agent runs or it says no, `lost` when it ends.
 */
export async function watchTerminal(path: string, watch: TerminalWatch): Promise<void> {
  try {
    const response = await open(path, watch);
    if (response.statusCode !== 200) throw new Failure('refused', await reasonOf(response));
    watch.onReady?.();
    for await (const line of linesOf(response)) if (line !== '') watch.onText(JSON.parse(line) as string);
    throw new Failure('lost', 'The server has ended');
  } catch (error) {
    if (watch.signal.aborted) return;
    if (error instanceof Failure) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ECONNREFUSED') throw noServer(error);
    throw new Failure('lost', 'The server has ended', error);
  }
}

function open(path: string, { address, signal }: TerminalWatch): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const target = `/terminal?${new URLSearchParams({ address })}`;
    const outgoing = request({ socketPath: path, path: target, signal, agent: false }, resolve);
    outgoing.on('error', reject);
    outgoing.end();
  });
}

async function reasonOf(response: IncomingMessage): Promise<string> {
  for await (const line of linesOf(response)) return (JSON.parse(line) as { error: string }).error;
  return 'The server does not want the terminal';
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string, void, undefined> {
  let text = '';
  for await (const piece of response.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (text + piece).split('\n');
    text = lines.pop() ?? '';
    yield* lines;
    if (text.length > longestLine) throw new Failure('protocol', 'The server sends a line without an end');
  }
}
