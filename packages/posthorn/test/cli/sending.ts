import type { MailParameters, RcptParameters } from '@posthorn/smtp/command/parameters';
import { reply } from '@posthorn/smtp/reply/reply';
import { createServer, type ServerHandlers, type ServerOptions } from '@posthorn/smtp/server';
import { onTestFinished } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** One message as a host got it. */
interface Got {
  readonly text: string;
  readonly size: number;
  readonly mail: MailParameters;
  readonly recipients: readonly string[];
  readonly wishes: readonly RcptParameters[];
  readonly login: string | undefined;
}

/** Starts a server that keeps what it gets, and refuses as it is told; it ends with the test. */
export async function startHost(
  handlers: Partial<ServerHandlers> = {},
  options: Partial<ServerOptions> = {},
  role: 'mx' | 'submission' | 'lmtp' = 'mx',
) {
  const got: Got[] = [];
  const server = createServer({
    hostname: 'mx.example.test',
    ...options,
    handlers: {
      async message(session, transaction, text) {
        const pieces: Buffer[] = [];
        for await (const piece of text) pieces.push(Buffer.from(piece));
        const recipients = transaction.recipients.map(({ mailbox }) => `${mailbox.localPart}@${mailbox.domain}`);
        const whole = Buffer.concat(pieces);
        got.push({
          text: whole.toString(),
          size: whole.length,
          mail: transaction.mail,
          recipients,
          wishes: transaction.recipients.map(({ parameters }) => parameters),
          login: session.login,
        });
        return role === 'lmtp' ? recipients.map(() => reply(250, '2.1.5', 'Ok')) : reply(250, '2.0.0', 'Ok');
      },
      ...handlers,
    },
  });
  const address = await server.listen({ role, host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close({ grace: 0 }));
  return { got, address: 'port' in address ? `127.0.0.1:${address.port}` : '' };
}

/** Runs `posthorn send` in a folder of each test's own. */
export function sending() {
  const folder = temporaryFolder();
  const send = async (words: readonly string[], settings: Parameters<typeof fakeTerminal>[0] = {}) => {
    const terminal = fakeTerminal({ folder: folder(), ...settings });
    const code = await runCommand(['send', ...words], terminal);
    return { code, output: terminal.output(), said: terminal.said() };
  };
  return { folder, send };
}

/** The sender and the recipient where it does not matter who they are. */
export const pair = ['--from', 'a@x.test', '--to', 'b@y.test'];
