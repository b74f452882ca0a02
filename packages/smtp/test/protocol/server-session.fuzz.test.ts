import fc from 'fast-check';
import { expect, it } from 'vitest';
import { memoryHeld } from '../laws/memory-held.ts';
import { MemoryServer } from '../laws/memory-server.ts';
import { testRules } from '../laws/test-rules.ts';

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
      const rules = testRules({ role, expand: true, cleartextAuth: true, limits: { messageSize: 60, mails: 20 } });
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
