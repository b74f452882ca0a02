import type { ServerState } from '@posthorn/smtp/protocol/server-table';
import { it } from 'vitest';
import { MemoryServer } from '../laws/memory-server.ts';
import { tableLaw } from '../laws/table-law.ts';
import { testRules } from '../laws/test-rules.ts';

const rules = testRules({
  expand: true,
  etrn: true,
  atrn: true,
  turn: true,
  cleartextAuth: true,
  extensions: { checkpoint: true, terminals: true },
});

/** What brings a new session to each state. */
const ways: Readonly<Record<Exclude<ServerState, 'refused'>, readonly string[]>> = {
  greeted: [],
  ready: ['EHLO client.test'],
  mail: ['EHLO client.test', 'MAIL FROM:<a@x.test>'],
  rcpt: ['EHLO client.test', 'MAIL FROM:<a@x.test>', 'RCPT TO:<b@y.test>'],
  resumed: ['EHLO client.test', 'MAIL FROM:<a@x.test> TRANSID=<known@x.test>'],
  chunks: ['EHLO client.test', 'MAIL FROM:<a@x.test>', 'RCPT TO:<b@y.test>', 'BDAT 2', 'BDAT 0'],
  broken: ['EHLO client.test', 'MAIL FROM:<a@x.test>', 'BDAT 0'],
  turned: ['EHLO client.test', 'AUTH PLAIN AGFsaWNlAHNlY3JldA==', 'ATRN'],
  over: ['QUIT'],
};

const lines = {
  EHLO: 'EHLO client.test',
  HELO: 'HELO client.test',
  LHLO: 'LHLO client.test',
  MAIL: 'MAIL FROM:<a@x.test>',
  RCPT: 'RCPT TO:<c@y.test>',
  DATA: 'DATA',
  text: '.',
  BDAT: 'BDAT 0',
  LAST: 'BDAT 0 LAST',
  RSET: 'RSET',
  NOOP: 'NOOP',
  HELP: 'HELP',
  VRFY: 'VRFY Smith',
  EXPN: 'EXPN staff',
  AUTH: 'AUTH PLAIN AGFsaWNlAHNlY3JldA==',
  STARTTLS: 'STARTTLS',
  QUIT: 'QUIT',
  SEND: 'SEND FROM:<a@x.test>',
  SOML: 'SOML FROM:<a@x.test>',
  SAML: 'SAML FROM:<a@x.test>',
  TURN: 'TURN',
  ETRN: 'ETRN x.test',
  ATRN: 'ATRN',
  BURL: 'BURL imap://mail.x.test/INBOX;UID=1 LAST',
  XYZZY: 'XYZZY',
} as const;

type Input = Exclude<keyof typeof lines, 'text'>;

/** The session's part of the world in which each is accepted. */
const list = `
  greeted | EHLO | ready
  greeted | HELO | ready
  greeted | RSET | greeted
  greeted | NOOP | greeted
  greeted | HELP | greeted
  greeted | VRFY | greeted
  greeted | EXPN | greeted
  greeted | STARTTLS | greeted
  greeted | QUIT | over
  ready | EHLO | ready
  ready | HELO | ready
  ready | MAIL | mail
  ready | SEND | mail
  ready | SOML | mail
  ready | SAML | mail
  ready | ETRN | ready
  ready | RSET | ready
  ready | NOOP | ready
  ready | HELP | ready
  ready | VRFY | ready
  ready | EXPN | ready
  ready | AUTH | ready
  ready | STARTTLS | greeted
  ready | QUIT | over
  mail | EHLO | ready
  mail | HELO | ready
  mail | RCPT | rcpt
  mail | RSET | ready
  mail | NOOP | mail
  mail | HELP | mail
  mail | VRFY | mail
  mail | EXPN | mail
  mail | STARTTLS | greeted
  mail | QUIT | over
  mail | BDAT | no, broken
  mail | LAST | no, broken
  rcpt | EHLO | ready
  rcpt | HELO | ready
  rcpt | RCPT | rcpt
  rcpt | DATA | ready
  rcpt | BDAT | chunks
  rcpt | LAST | ready
  rcpt | RSET | ready
  rcpt | NOOP | rcpt
  rcpt | HELP | rcpt
  rcpt | VRFY | rcpt
  rcpt | EXPN | rcpt
  rcpt | STARTTLS | greeted
  rcpt | QUIT | over
  resumed | EHLO | ready
  resumed | HELO | ready
  resumed | DATA | ready
  resumed | BDAT | chunks
  resumed | LAST | ready
  resumed | RSET | ready
  resumed | NOOP | resumed
  resumed | HELP | resumed
  resumed | VRFY | resumed
  resumed | EXPN | resumed
  resumed | STARTTLS | greeted
  resumed | QUIT | over
  chunks | EHLO | ready
  chunks | HELO | ready
  chunks | BDAT | chunks
  chunks | LAST | ready
  chunks | RSET | ready
  chunks | NOOP | chunks
  chunks | HELP | chunks
  chunks | VRFY | chunks
  chunks | EXPN | chunks
  chunks | STARTTLS | greeted
  chunks | QUIT | over
  broken | EHLO | ready
  broken | HELO | ready
  broken | RSET | ready
  broken | NOOP | broken
  broken | HELP | broken
  broken | VRFY | broken
  broken | EXPN | broken
  broken | STARTTLS | greeted
  broken | QUIT | over
`;

function arrive(state: ServerState, ...first: readonly string[]): MemoryServer {
  const server = new MemoryServer(rules);
  server.say(...first);
  // The octets of the chunk in the way to `chunks` are its next line's beginning.
  if (state === 'chunks') {
    server.say(...ways.chunks.slice(0, 3));
    server.send(Buffer.from('BDAT 2\r\n\r\n'));
  } else server.say(...ways[state as keyof typeof ways]);
  return server;
}

function observe(
  state: ServerState,
  input: Input,
  ...first: readonly string[]
): { state: ServerState; accepted: boolean } {
  const server = arrive(state, ...first);
  const said = server.say(lines[input]);
  if (said.startsWith('354')) server.say(lines.text);
  return { state: server.session.state, accepted: /^[23]/.test(said) };
}

it('CMD-EHLO-2 CMD-EHLO-3 CMD-HELO-3 CMD-MAIL-2 CMD-RCPT-2 CMD-DATA-2 CMD-RSET-1 CMD-EXPN-3 CMD-SEND-3 EXT-CKPT-2 REP-503 follows its table in every state, for every verb', () => {
  tableLaw<ServerState, Input>({
    states: Object.keys(ways) as ServerState[],
    inputs: (Object.keys(lines) as (keyof typeof lines)[]).filter((line) => line !== 'text') as Input[],
    list,
    observe: (state, input) => observe(state, input),
  });
});

it('CMD-ETRN-1 CMD-ATRN-3 CMD-ATRN-7 CMD-TURN-2 lets a login reverse the connection where no transaction is open', () => {
  const states = ['ready', 'mail', 'rcpt', 'chunks', 'broken', 'turned', 'over'] as const;
  tableLaw<ServerState, 'ETRN' | 'ATRN' | 'TURN'>({
    states,
    inputs: ['ETRN', 'ATRN', 'TURN'],
    list: `
      ready | ETRN | ready
      ready | ATRN | turned
      ready | TURN | turned
    `,
    observe: (state, input) => observe(state, input, ...ways.turned.slice(0, 2)),
  });
});
