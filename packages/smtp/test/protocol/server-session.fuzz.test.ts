import { external } from '@posthorn/smtp/sasl/external';
import { login } from '@posthorn/smtp/sasl/login';
import { ntlmServer } from '@posthorn/smtp/sasl/ntlm';
import { oauthBearer, xoauth2 } from '@posthorn/smtp/sasl/oauth';
import { plain } from '@posthorn/smtp/sasl/plain';
import { scramClient } from '@posthorn/smtp/sasl/scram-client';
import { scramServer } from '@posthorn/smtp/sasl/scram-server';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { memoryHeld } from '../laws/memory-held.ts';
import { MemoryServer } from '../laws/memory-server.ts';
import { testRules } from '../laws/test-rules.ts';

const mechanisms = [
  plain,
  login,
  scramServer({ hash: 'SHA-256', plus: false, secret: Buffer.alloc(32), nextNonce: () => 's' }),
  scramServer({ hash: 'SHA-256', plus: true, secret: Buffer.alloc(32), nextNonce: () => 's' }),
  oauthBearer(),
  xoauth2(),
  ntlmServer({ hostname: 'mx.example.test', nextNonce: () => Buffer.alloc(8) }),
  external,
];

/** The answer to the challenge that this server gives to alice. */
const scramAnswer = (() => {
  const exchange = scramClient({ hash: 'SHA-256', plus: false, nextNonce: () => 'c' }).client({
    user: 'alice',
    password: 'secret',
    authorizeAs: '',
  });
  const salt = Buffer.from('salt of alice').toString('base64');
  return exchange.next(Buffer.from(`r=cs,s=${salt},i=4096`))?.toString('base64') ?? '';
})();

const line = fc.constantFrom(
  'EHLO client.test',
  'HELO client.test',
  'LHLO client.test',
  'MAIL FROM:<a@x.test>',
  'MAIL FROM:<a@x.test> BODY=BINARYMIME SIZE=10',
  'MAIL FROM:<>',
  'RCPT TO:<b@y.test>',
  'RCPT TO:<Green@y.test>',
  'DATA',
  '.',
  '..',
  'BDAT 3',
  'BDAT 0',
  'BDAT 2 LAST',
  'BDAT 0 LAST',
  'BDAT x',
  'RSET',
  'NOOP',
  'HELP',
  'VRFY Pelé SMTPUTF8',
  'EXPN staff',
  'STARTTLS',
  'AUTH LOGIN',
  'AUTH PLAIN AGFsaWNlAHNlY3JldA==',
  'YWxpY2U=',
  `AUTH SCRAM-SHA-256 ${Buffer.from('n,,n=alice,r=c').toString('base64')}`,
  `AUTH SCRAM-SHA-256 ${Buffer.from('y,,n=alice,r=c').toString('base64')}`,
  scramAnswer,
  `AUTH OAUTHBEARER ${Buffer.from('n,,\x01auth=Bearer bad\x01\x01').toString('base64')}`,
  `AUTH XOAUTH2 ${Buffer.from('user=alice\x01auth=Bearer good\x01\x01').toString('base64')}`,
  'AUTH NTLM',
  'AUTH EXTERNAL =',
  '*',
  'QUIT now',
  'GET / HTTP/1.1',
  '',
);
const piece = fc.oneof(
  { weight: 8, arbitrary: line.map((text) => Buffer.from(`${text}\r\n`)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((octets) => Buffer.from(octets)) },
  { weight: 1, arbitrary: fc.constantFrom('\r', '\n', '\r\n', '.', '\0').map((text) => Buffer.from(text)) },
);

/** Ends whatever the session may be reading: a chunk, a text, an exchange, a line that was begun. */
function bringBack(server: MemoryServer): void {
  if (server.session.awaitsTls) server.secure();
  server.send(Buffer.from('\r\n.\r\n*\r\n'));
  server.send(Buffer.from('\r\n.\r\n*\r\nRSET\r\n'));
}

it('SEC-RES-1 GEN-15 GEN-17 stays in step, whatever is thrown at it: a last NOOP gets its 250, or the session was ended with a reason', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.constantFrom('mx', 'lmtp', 'submission'), (pieces, role) => {
      const rules = testRules({
        role,
        mechanisms,
        expand: true,
        cleartextAuth: true,
        limits: { messageSize: 60, mails: 20 },
      });
      const server = new MemoryServer(rules);
      for (const octets of pieces) {
        server.send(octets);
        if (server.session.awaitsTls) server.secure();
      }
      bringBack(server);
      if (server.session.isOver) expect(server.transcript).toMatch(/(?:^|\r\n)(?:221|421|554|521) [^\r]*\r\n$/);
      else expect(server.say('NOOP')).toBe('250 2.0.0 Ok\r\n');
      for (const said of server.transcript.split('\r\n').slice(0, -1)) {
        expect(said).toMatch(/^[2-5]\d\d[ -]/);
        expect(Buffer.byteLength(said)).toBeLessThanOrEqual(510);
      }
    }),
    { numRuns: 1500 },
  );
});

it('SEC-RES-1 keeps nothing of a text that is refused or of a line that is too long, however much comes', () => {
  const server = new MemoryServer(testRules({ limits: { messageSize: 1000 } }));
  server.say('EHLO client.test', 'MAIL FROM:<a@x.test>', 'RCPT TO:<b@y.test>', 'DATA');
  const text = Buffer.alloc(65_536, `${'x'.repeat(76)}\r\n`);
  const before = memoryHeld();
  for (let count = 0; count < 1600; count += 1) server.send(text);
  server.send(Buffer.from('\r\n.\r\n'));
  expect(server.transcript.endsWith('552 5.3.4 Message size exceeds the fixed limit\r\n')).toBe(true);
  const line = Buffer.alloc(65_536, 'x');
  for (let count = 0; count < 1600; count += 1) server.send(line);
  expect(server.say('').startsWith('500 5.5.2')).toBe(true);
  expect(memoryHeld() - before).toBeLessThan(4 * 1024 * 1024);
});
