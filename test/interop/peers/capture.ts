import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { reply } from '@posthorn/smtp/reply/reply';
import { createServer } from '@posthorn/smtp/server';

/** One message that arrived at the end of the way. */
export interface Captured {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: Buffer;
}

/** The end of the way: takes all mail and keeps it. */
export interface Capture extends AsyncDisposable {
  readonly port: number;
  readonly mails: readonly Captured[];
  /** Resolves when so many messages have arrived; rejects after a minute. */
  waitFor(count: number): Promise<readonly Captured[]>;
}

/** Starts a server that keeps what it gets, on a free port where none is given. */
export async function startCapture({ port = 0 }: { readonly port?: number } = {}): Promise<Capture> {
  const mails: Captured[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const server = createServer({
    hostname: 'capture.example',
    limits: { connectionsPerAddress: 1000, messageSize: 210_000_000 },
    handlers: {
      async message(_session, { reversePath, recipients }, text) {
        const pieces: Buffer[] = [];
        for await (const piece of text) pieces.push(Buffer.from(piece));
        const from = reversePath === null ? '' : formatMailbox(reversePath);
        mails.push({ from, to: recipients.map(({ mailbox }) => formatMailbox(mailbox)), text: Buffer.concat(pieces) });
        for (const { count, resolve } of waiting) if (mails.length >= count) resolve();
        return reply(250, '2.0.0', `Ok: queued as ${mails.length}`);
      },
    },
  });
  const address = await server.listen({ role: 'mx', host: '127.0.0.1', port });
  return {
    port: 'port' in address ? address.port : 0,
    mails,
    waitFor(count) {
      if (mails.length >= count) return Promise.resolve(mails);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${mails.length} of ${count} messages came`)), 60_000);
        waiting.push({
          count,
          resolve: () => {
            clearTimeout(timer);
            resolve(mails);
          },
        });
      });
    },
    async [Symbol.asyncDispose]() {
      await server.close({ grace: 100 });
    },
  };
}
