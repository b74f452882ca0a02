import { connectClient } from '@posthorn/smtp/client/connect-client';
import { openConnection } from '@posthorn/smtp/client/open-connection';
import { onTestFinished } from 'vitest';
import { hashPassword } from '../../src/config/password.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { startTestAgent } from './fixture.ts';
import { pairOf, startNextHop } from './next-hop.ts';
import { tlsIn, withinTls } from './tls-in.ts';

let hashed: Promise<string> | undefined;

/** An agent with mx and submission; alice may send as herself alone, free and bob as anyone, all may be sent to. */
export async function startSubmission(
  change: Partial<ConfigInput> = {},
  options: { readonly now?: () => number } = {},
) {
  hashed ??= hashPassword('correct horse');
  const password = await hashed;
  const hop = await startNextHop();
  const test = await startTestAgent((folder) => {
    const tls = tlsIn(folder);
    return {
      hostname: 'mx.example.test',
      listeners: [
        { role: 'mx', host: '127.0.0.1', port: 0 },
        { role: 'submission', host: '127.0.0.1', port: 0 },
        { role: 'submissions', host: '127.0.0.1', port: 0 },
      ],
      tls,
      routes: [{ domain: '*', to: hop.to }],
      users: {
        alice: { password, addresses: ['alice@example.org', 'sales@example.org'] },
        free: { password },
        'bob@example.org': { password },
      },
      ...change,
    };
  }, options);
  const port = (at: number) => {
    const listener = test.agent.listeners[at];
    return listener !== undefined && 'port' in listener ? listener.port : 0;
  };
  return {
    mx: test.port,
    submission: port(1),
    submissions: port(2),
    ...pairOf(test, hop),
  };
}

function login(port: number, user: string) {
  return {
    ...withinTls(port),
    credentials: { user, password: 'correct horse' },
  } as const;
}

/** A mail program that sends messages. */
export function logIn(port: number, user: string) {
  return openConnection(login(port, user));
}

/** A mail program led command by command; it ends with its test. */
export async function openSession(port: number, user: string) {
  const session = await connectClient(login(port, user));
  onTestFinished(() => session.drop('aborted'));
  return session;
}

/** What a mail program sends. */
export interface Submitted {
  readonly user: string;
  readonly from: string;
  readonly to: readonly string[];
  /** Lines of the header. */
  readonly header?: readonly string[];
}

const goodHeader = [
  'From: <alice@example.org>',
  'Subject: x',
  'Date: Sat, 21 Nov 2026 10:00:00 +0000',
  'Message-ID: <1@example.org>',
];

/** Sends one message as a mail program does; gives what became of each recipient. */
export async function submit(port: number, { user, from, to, header = goodHeader }: Submitted): Promise<string[]> {
  await using connection = await logIn(port, user);
  const text = Buffer.from(`${header.join('\r\n')}\r\n\r\nHello\r\n`);
  const { recipients } = await connection.send({ envelope: { from, to: [...to] }, text });
  return recipients.map(({ kind, reply }) => `${kind} ${reply?.code} ${reply?.status ?? ''}`.trim());
}
