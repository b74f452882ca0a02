import { reply } from '@posthorn/smtp/reply/reply';
import { createServer } from '@posthorn/smtp/server';

const later = reply(451, '4.3.0', 'Later');
const never = reply(550, '5.1.1', 'No such mailbox');
const taken = reply(250, '2.0.0', 'Ok');

/** What came: `number who`, and when, in milliseconds since the epoch. */
export type Arrivals = Map<string, number[]>;

/** Takes note of something that came. */
export function arrived(arrivals: Arrivals, key: string, at: number): void {
  arrivals.set(key, [...(arrivals.get(key) ?? []), at]);
}

/** The number that a message carries in its subject. */
export function numberIn(text: string): string {
  return /^Subject: number (\d+)\r?$/m.exec(text)?.[1] ?? 'none';
}

/**
 * The host that mail is relayed to: defers `defer@` twice for each message, refuses `bounce@`, and counts what comes. What
 * comes to the address of a sender is a report, or an answer.
 */
export interface Sink extends AsyncDisposable {
  readonly port: number;
  readonly arrivals: Arrivals;
}

export async function startSink(): Promise<Sink> {
  const arrivals: Arrivals = new Map();
  const tries = new Map<string, number>();
  const server = createServer({
    hostname: 'sink.example',
    limits: { connectionsPerAddress: 1000, errors: 100_000, errorDelay: 0 },
    handlers: {
      recipient(_session, { mailbox }, { reversePath }) {
        const { localPart: to } = mailbox;
        const from = reversePath?.localPart ?? '';
        if (to === 'bounce') return never;
        // The members of a list are known by the sender of their copies.
        if (/^m\d$/.test(to)) return from.includes(`${to}=far.example`) ? undefined : never;
        if (to !== 'defer') return undefined;
        const count = (tries.get(from) ?? 0) + 1;
        tries.set(from, count);
        return count <= 2 ? later : undefined;
      },
      async message(_session, { recipients }, text) {
        const pieces: Buffer[] = [];
        for await (const piece of text) pieces.push(Buffer.from(piece));
        const number = numberIn(Buffer.concat(pieces).toString('latin1'));
        for (const { mailbox } of recipients) {
          const sender = /^n(\d+)$/.exec(mailbox.localPart)?.[1];
          arrived(arrivals, sender === undefined ? `${number} ${mailbox.localPart}` : `${sender} sender`, Date.now());
        }
        return taken;
      },
    },
  });
  const address = await server.listen({ role: 'mx', host: '127.0.0.1', port: 0 });
  return {
    port: 'port' in address ? address.port : 0,
    arrivals,
    [Symbol.asyncDispose]: () => server.close({ grace: 100 }),
  };
}
