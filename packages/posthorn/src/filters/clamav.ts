import type { Socket } from 'node:net';
import { Failure } from '@posthorn/smtp/failure/failure';
import { awaitEvent } from '@posthorn/smtp/net/await-event';
import { connectSocket, formatTarget } from '@posthorn/smtp/net/connect';
import { reply } from '@posthorn/smtp/reply/reply';
import { type ClamavReply, parseClamavReply } from './clamav-reply.ts';
import type { ContentVerdict, FilteredContent } from './content-verdict.ts';
import type { FilterRules } from './filter-rules.ts';

/** How a ClamAV is asked, and what is done about what it finds. */
export interface ClamavRules extends FilterRules {
  /** Octets of a message that it is shown: no more than its `StreamMaxLength`. */
  readonly limit: number;
  readonly action: 'refuse' | 'discard';
}

/** Octets of the longest answer. */
const mostAnswer = 4096;

/** Has a message scanned by a ClamAV as it is read. Rejects with Failure. */
export async function scanByClamav(
  content: FilteredContent,
  { rules, signal }: { readonly rules: ClamavRules; readonly signal: AbortSignal },
): Promise<ContentVerdict> {
  const what = `the filter at ${formatTarget(rules.target)}`;
  const socket = await connectSocket(rules.target, { timeout: rules.times.connect, signal });
  // Whoever waits for it next is told.
  socket.on('error', () => {});
  try {
    await sendStream(socket, content, { rules, what, signal });
    const text = await readAnswer(socket, { what, timeout: rules.times.message, signal });
    const said = parseClamavReply(text);
    if (said === undefined)
      throw new Failure('protocol', `${what}: no judgement, but ${JSON.stringify(text.slice(0, 200))}`);
    return verdictOf(said, rules);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    socket.destroy();
  }
}

interface Sending {
  readonly rules: ClamavRules;
  readonly what: string;
  readonly signal: AbortSignal;
}

async function sendStream(socket: Socket, content: FilteredContent, { rules, what, signal }: Sending): Promise<void> {
  const write = async (...pieces: readonly Buffer[]) => {
    if (!socket.writable) throw new Failure('lost', `${what}: connection closed`);
    socket.cork();
    for (const piece of pieces) socket.write(piece);
    socket.uncork();
    if (socket.writableNeedDrain) await awaitEvent(socket, 'drain', { what, timeout: rules.times.send, signal });
  };
  await write(Buffer.from('zINSTREAM\0'));
  let room = rules.limit;
  const show = async (piece: Buffer) => {
    const shown = piece.subarray(0, room);
    room -= shown.length;
    if (shown.length > 0) await write(uint32(shown.length), shown);
  };
  await show(Buffer.concat([...content.fields, content.separator]));
  for await (const piece of content.body()) {
    if (room === 0) break;
    await show(piece);
  }
  await write(uint32(0));
}

async function readAnswer(
  socket: Socket,
  wait: { what: string; timeout: number; signal: AbortSignal },
): Promise<string> {
  let text = '';
  for (;;) {
    const piece: Buffer | null = socket.read();
    if (piece !== null) {
      text += piece.toString('latin1');
      const end = text.indexOf('\0');
      if (end >= 0) return text.slice(0, end);
      if (text.length > mostAnswer) throw new Failure('limit', `${wait.what}: an answer without an end`);
    } else if (socket.destroyed || socket.readableEnded) throw new Failure('lost', `${wait.what}: connection closed`);
    else await awaitEvent(socket, 'readable', wait);
  }
}

function verdictOf(said: ClamavReply, { action }: ClamavRules): ContentVerdict {
  if (said.kind === 'clean') return { kind: 'pass', changes: [] };
  if (action === 'discard') return { kind: 'discard', reason: said.name };
  return { kind: 'refuse', reply: reply(554, '5.7.1', `The message holds malware: ${said.name}`) };
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
