import type { DeliveryJob } from '../../src/queue/delivery-agent.ts';
import type { Envelope, Recipient } from '../../src/queue/envelope.ts';
import type { NextHop } from '../../src/queue/next-hop.ts';
import type { Content } from '../../src/queue/queue-store.ts';

/** The moment at which all jobs are done. */
export const moment = Date.UTC(2026, 10, 21, 10);

/** What a job is about; all but the next hop has a default. */
export interface JobFacts {
  readonly nextHop: NextHop;
  /** Latin-1: one octet a character. */
  readonly text?: string;
  readonly content?: Content;
  readonly envelope?: Partial<Envelope>;
  readonly recipients?: readonly Recipient[];
  readonly signal?: AbortSignal;
}

export const usualText = 'Received: from x\r\nSubject: h\xe9\r\n\r\nline \0 one\r\nline two\r\n';

/** Makes a job of few facts. */
export function jobOf({ nextHop, text = usualText, envelope, ...facts }: JobFacts): DeliveryJob {
  const bytes = Buffer.from(text, 'latin1');
  const { recipients = [{ address: 'bob@example.org' }], content = contentInHand(bytes) } = facts;
  const { signal = AbortSignal.timeout(20_000) } = facts;
  return {
    envelope: {
      id: 'Q1',
      reversePath: 'ann@example.net',
      recipients,
      receivedAt: moment,
      size: content.size,
      body: '8BITMIME',
      smtputf8: false,
      origin: { clientAddress: '192.0.2.1' },
      ...envelope,
    },
    recipients,
    content,
    nextHop,
    signal,
  };
}

/** Content that is in memory as a whole. */
function contentInHand(bytes: Buffer): Content {
  return { ...contentInPieces(bytes, Math.max(bytes.length, 1)), bytes };
}

/** Content that comes in pieces. */
export function contentInPieces(bytes: Buffer, pieceSize: number): Content {
  return {
    size: bytes.length,
    async *stream() {
      for (let at = 0; at < bytes.length; at += pieceSize) yield bytes.subarray(at, at + pieceSize);
    },
  };
}

/** Content that can be read until an error stops it; the first time whole, since agents look at the header before. */
export function contentThatBreaks(text: string, error: Error): Content {
  let reads = 0;
  return {
    size: text.length,
    async *stream() {
      reads += 1;
      yield Buffer.from(text);
      if (reads > 1) throw error;
    },
  };
}

/** An error as the system reports it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`made up: ${code}`), { code });
}
