import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { reply } from '@posthorn/smtp/reply/reply';
import { createServer } from '@posthorn/smtp/server';

const later = reply(451, '4.3.0', 'Later');
const never = reply(550, '5.1.1', 'No such mailbox');

/** The host that mail is relayed to: defers `defer@` twice for each message, refuses `bounce@`, and counts what comes. */
export interface Sink extends AsyncDisposable {
  readonly port: number;
  /** When each number arrived, in milliseconds since the epoch. */
  readonly delivered: ReadonlyMap<number, readonly number[]>;
  /** When each number was reported as failed. */
  readonly bounced: ReadonlyMap<number, readonly number[]>;
}

/** The number that a message carries in its subject, or in that of the message it returns. */
function numberIn(text: string): number {
  return Number(/^Subject: number (\d+)\r$/m.exec(text)?.[1]);
}

export async function startSink(): Promise<Sink> {
  const delivered = new Map<number, number[]>();
  const bounced = new Map<number, number[]>();
  const tries = new Map<string, number>();
  const server = createServer({
    hostname: 'sink.example',
    limits: { connectionsPerAddress: 1000, errors: 100_000, errorDelay: 0 },
    handlers: {
      recipient(_session, { mailbox }, { reversePath }) {
        if (mailbox.localPart === 'bounce') return never;
        if (mailbox.localPart !== 'defer') return undefined;
        const key = reversePath?.localPart ?? '';
        const count = (tries.get(key) ?? 0) + 1;
        tries.set(key, count);
        return count <= 2 ? later : undefined;
      },
      async message(_session, { reversePath, recipients }, text) {
        const pieces: Buffer[] = [];
        for await (const piece of text) pieces.push(Buffer.from(piece));
        const number = numberIn(Buffer.concat(pieces).toString('latin1'));
        const counts = reversePath === null ? bounced : delivered;
        counts.set(number, [...(counts.get(number) ?? []), Date.now()]);
        return reply(250, '2.0.0', `Ok: ${formatMailbox(recipients[0]?.mailbox ?? { localPart: 'x', domain: '' })}`);
      },
    },
  });
  const address = await server.listen({ role: 'mx', host: '127.0.0.1', port: 0 });
  return {
    port: 'port' in address ? address.port : 0,
    delivered,
    bounced,
    [Symbol.asyncDispose]: () => server.close({ grace: 100 }),
  };
}
