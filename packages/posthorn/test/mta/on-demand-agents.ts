import { createHmac } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import { SocketClient } from '../../../smtp/test/laws/socket-client.ts';
import { hashPassword } from '../../src/config/password.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { sendMail, startTestAgent, type TestAgent } from './fixture.ts';

export const secret = 'thirteen grey herons';

let hashed: Promise<string> | undefined;

/** A provider: mail for two domains waits for the login `branch`, and comes from anywhere to its listener for mail. */
export async function startProvider(
  change: (folder: string) => Partial<ConfigInput> = () => ({}),
  options: { readonly now?: () => number } = {},
) {
  hashed ??= hashPassword('unused');
  const password = await hashed;
  const test = await startTestAgent(
    (folder) => ({
      hostname: 'odmr.example.net',
      listeners: [
        { role: 'mx', host: '127.0.0.1', port: 0 },
        { role: 'odmr', host: '127.0.0.1', port: 0, mechanisms: ['CRAM-MD5', 'EXTERNAL'] },
      ],
      domains: {
        'example.edu': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: '*' },
        'branch.example.org': { relay: true },
        'shop.example.com': { relay: true },
        'else.example.org': { relay: true },
      },
      routes: [{ domain: '*', to: 'odmr:' }],
      users: {
        branch: { password, cramSecret: secret, atrnDomains: ['branch.example.org', 'shop.example.com'] },
        idle: { password, cramSecret: secret },
      },
      ...change(folder),
    }),
    options,
  );
  return Object.assign(test, { odmr: portOf(test, 'odmr') });
}

/** The port of the first listener with that role. */
function portOf({ agent }: Pick<TestAgent, 'agent'>, role: string): number {
  const listener = agent.listeners.find((each) => each.role === role);
  return listener !== undefined && 'port' in listener ? listener.port : 0;
}

/** Hands mail in, and waits until it waits to be fetched. */
export async function leaveMail(test: TestAgent, ...mails: Parameters<typeof sendMail>[1][]): Promise<void> {
  const replies = await sendMail(test.port, ...mails);
  for (const reply of replies) if (!reply.startsWith('250')) throw new Error(reply);
  await expect.poll(() => test.agent.inHand(), { interval: 5 }).toBe(0);
}

/** What CRAM-MD5 answers to the line of a challenge. */
export function answerChallenge(line: string, user: string, password = secret): string {
  const challenge = Buffer.from(line.slice(4), 'base64');
  const digest = createHmac('md5', password).update(challenge).digest('hex');
  return Buffer.from(`${user} ${digest}`).toString('base64');
}

/** A customer that has logged in, line by line. */
export async function loggedIn(port: number, user = 'branch', password = secret): Promise<SocketClient> {
  const client = SocketClient.connect({ port });
  onTestFinished(() => client.destroy());
  await client.reply();
  await client.say('EHLO mail.branch.example.org');
  await logIn(client, user, password);
  return client;
}

/** Logs in by CRAM-MD5; throws what is said if that is no success. */
export async function logIn(client: SocketClient, user = 'branch', password = secret): Promise<void> {
  const challenge = await client.say('AUTH CRAM-MD5');
  const answer = await client.say(answerChallenge(challenge, user, password));
  if (!answer.startsWith('235')) throw new Error(answer);
}

/** A client within TLS that has said EHLO. */
export async function secured(port: number): Promise<SocketClient> {
  const client = SocketClient.connect({ port });
  onTestFinished(() => client.destroy());
  await client.reply();
  await client.say('EHLO mail.branch.example.org', 'STARTTLS');
  await client.secure();
  await client.say('EHLO mail.branch.example.org');
  return client;
}

/** Plays the customer behind the turn: greets, and takes all mail but what `refuse` says. Gives what came, up to QUIT. */
export async function serveTurned(
  client: SocketClient,
  refuse: (line: string) => string | undefined = () => undefined,
): Promise<{ readonly commands: string[]; readonly texts: string[] }> {
  const [commands, texts] = [[], []] as [string[], string[]];
  client.send('220 mail.branch.example.org ESMTP ready\r\n');
  for (;;) {
    const line = await client.line();
    commands.push(line);
    const refusal = refuse(line);
    if (refusal !== undefined) client.send(`${refusal}\r\n`);
    else if (line === 'DATA') {
      client.send('354 Go ahead\r\n');
      let text = '';
      for (let next = await client.line(); next !== '.'; next = await client.line()) text += `${next}\r\n`;
      texts.push(text);
      const answer = refuse('text');
      client.send(`${answer ?? '250 2.0.0 Ok: queued'}\r\n`);
    } else client.send(line === 'QUIT' ? '221 2.0.0 Bye\r\n' : '250 2.0.0 Ok\r\n');
    if (line === 'QUIT') return { commands, texts };
  }
}
