import { cramMd5Server } from '@posthorn/smtp/sasl/cram-md5';
import { external } from '@posthorn/smtp/sasl/external';
import { describe, expect, it } from 'vitest';
import { cutLaw } from '../laws/cut-law.ts';
import { parseDialogue } from '../laws/dialogue.ts';
import { MemoryServer } from '../laws/memory-server.ts';
import { runDialogue, sentBy } from '../laws/run-dialogue.ts';
import { type RuleChange, testRules } from '../laws/test-rules.ts';

function rules(random: number, change: RuleChange = {}) {
  return testRules({
    role: 'odmr',
    hostname: 'odmr.example.net',
    mechanisms: [cramMd5Server(() => `<${random}.1795255200@odmr.example.net>`), external],
    startTls: false,
    requireAuth: true,
    atrn: true,
    ...change,
  });
}

const hello = `
S: 220 odmr.example.net ODMR service ready
C: EHLO mail.branch.example.org
S: 250-odmr.example.net
S: 250-ENHANCEDSTATUSCODES
S: 250-AUTH CRAM-MD5 EXTERNAL
S: 250 ATRN
`;

const reversal = parseDialogue(`# up to the reversal
${hello}
C: AUTH CRAM-MD5
S= 334 PDc3MDEuMTc5NTI1NTIwMEBvZG1yLmV4YW1wbGUubmV0Pg==
C: YnJhbmNoIGFmMzJjZmEzN2I2ZTc3NmQxZWVkNjhjZjIzMzA3ZTg1
S: 235 2.7.0 Authentication successful
C: ATRN branch.example.org,shop.example.com
S: 250 2.0.0 OK now reversing the connection
`);

const refusals = parseDialogue(`# refusals
${hello}
C: ATRN
S: 530 5.7.0 Authentication required
C: MAIL FROM:<ann@branch.example.org>
S: 502 5.5.1 Command not implemented
C: HELO mail.branch.example.org
S: 502 5.5.1 Command not implemented
C: NOOP
S: 502 5.5.1 Command not implemented
C: STARTTLS
S: 502 5.5.1 Command not implemented
C: AUTH CRAM-MD5 YnJhbmNo
S: 501 5.7.0 It begins with a challenge
C: AUTH CRAM-MD5
S= 334 PDc3MDIuMTc5NTI1NTIwMEBvZG1yLmV4YW1wbGUubmV0Pg==
C: YnJhbmNo
S: 501 5.5.2 Malformed
C: AUTH CRAM-MD5
S= 334 PDc3MDIuMTc5NTI1NTIwMEBvZG1yLmV4YW1wbGUubmV0Pg==
C: YnJhbmNoIGFmMzJjZmEzN2I2ZTc3NmQxZWVkNjhjZjIzMzA3ZTg1
S: 535 5.7.8 The answer to another challenge
C: AUTH EXTERNAL =
S: 535 5.7.8 Nobody knows
C: AUTH CRAM-MD5
S= 334 PDc3MDIuMTc5NTI1NTIwMEBvZG1yLmV4YW1wbGUubmV0Pg==
C: YnJhbmNoIDM2ZjhlNWViZjljNDdlMWQxZjAwYTc5NTA1MjZjNzQx
S: 235 2.7.0 Authentication successful
C: ATRN localhost
S: 501 5.5.4 Bad domain list
C: ATRN branch.example.org, shop.example.com
S: 501 5.5.4 Bad domain list
C: ATRN branch.example.org,foreign.test
S: 450 4.7.1 ATRN request refused
C: ATRN down.test
S: 451 4.3.0 Unable to process ATRN request now
C: ATRN empty.test
S: 453 4.2.0 You have no mail
C: MAIL FROM:<ann@branch.example.org>
S: 502 5.5.1 Command not implemented
C: VRFY ann
S: 502 5.5.1 Command not implemented
C: ETRN branch.example.org
S: 502 5.5.1 Command not implemented
C: QUIT
S: 221 2.0.0 odmr.example.net closing connection
X: close
`);

describe('on-demand relay', () => {
  it('CMD-ATRN-1 CMD-ATRN-3 CMD-AUTH-11 lets a customer in by CRAM-MD5, and leaves it the connection, cut at every octet', async () => {
    for (let cut = 0; cut < sentBy(reversal, 'C'); cut += 1) {
      const peer = new MemoryServer(rules(7701));
      await runDialogue(reversal, { plays: 'C', peer, cut });
      expect(peer.session.isTurned).toBe(true);
      expect(peer.session.login).toBe('branch');
    }
  });

  it('CMD-ATRN-1 CMD-ATRN-2 CMD-ATRN-4 CMD-AUTH-3 CMD-AUTH-11 REP-450 REP-451 REP-453 REP-502 REP-530 refuses all else, cut at every octet', async () => {
    const change = { limits: { authFailures: 10 } };
    for (let cut = 0; cut < sentBy(refusals, 'C'); cut += 1) {
      await runDialogue(refusals, { plays: 'C', peer: new MemoryServer(rules(7702, change)), cut });
    }
  });

  it('CMD-ATRN-1 tells of nothing but what it does', () => {
    const told = new MemoryServer(rules(1, { startTls: true })).say('EHLO x.test').trimEnd().split('\r\n').slice(1);
    expect(told.map((line) => line.slice(4).split(' ')[0]).sort()).toEqual([
      'ATRN',
      'AUTH',
      'ENHANCEDSTATUSCODES',
      'STARTTLS',
    ]);
  });

  it('CMD-ATRN-7 reads nothing that lies behind a command that reverses the connection', () => {
    const lines = [
      'EHLO x.test',
      'AUTH CRAM-MD5',
      'YnJhbmNoIGFmMzJjZmEzN2I2ZTc3NmQxZWVkNjhjZjIzMzA3ZTg1',
      'ATRN',
      'QUIT',
      'MAIL FROM:<a@x.test>',
    ];
    const said = cutLaw(lines.map((line) => `${line}\r\n`).join(''), (pieces) => {
      const server = new MemoryServer(rules(7701));
      for (const piece of pieces) server.send(piece);
      return server.transcript;
    });
    expect(said.endsWith('250 2.0.0 Ok: now reversing the connection\r\n')).toBe(true);
  });

  it('CMD-ATRN-3 has no deadline of its own, nor a last word, once the connection is reversed', () => {
    const server = new MemoryServer(rules(7701));
    server.say('EHLO x.test', 'AUTH CRAM-MD5', 'YnJhbmNoIGFmMzJjZmEzN2I2ZTc3NmQxZWVkNjhjZjIzMzA3ZTg1', 'ATRN');
    const said = server.transcript;
    server.pass(24 * 3_600_000);
    server.session.shutdown();
    server.pass(1);
    expect(server.transcript).toBe(said);
    expect(server.session.isOver).toBe(false);
  });

  it('CMD-TURN-1 CMD-EHLO-4 tells of TURN only a client that has logged in', () => {
    const server = new MemoryServer(testRules({ turn: true, cleartextAuth: true }));
    expect(server.say('EHLO x.test')).not.toContain('TURN');
    expect(server.say('TURN')).toMatch(/^502 5\.5\.1/);
    server.say('AUTH PLAIN AGFsaWNlAHNlY3JldA==');
    expect(server.say('EHLO x.test')).toContain('250 TURN\r\n');
    expect(server.say('TURN')).toMatch(/^250 2\.0\.0/);
  });

  it('CMD-ATRN-2 CMD-EHLO-4 tells of ATRN beside mail where a login is possible, and asks for one', () => {
    expect(new MemoryServer(testRules({ atrn: true })).say('EHLO x.test')).not.toContain('ATRN');
    const server = new MemoryServer(testRules({ atrn: true, cleartextAuth: true }));
    expect(server.say('EHLO x.test')).toContain('250-ATRN\r\n');
    expect(server.say('ATRN')).toMatch(/^530 5\.7\.0/);
  });
});
