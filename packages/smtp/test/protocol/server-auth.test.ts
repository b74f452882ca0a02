import { oauthBearer, xoauth2 } from '@posthorn/smtp/sasl/oauth';
import { scramClient } from '@posthorn/smtp/sasl/scram-client';
import { scramServer } from '@posthorn/smtp/sasl/scram-server';
import { describe, expect, it } from 'vitest';
import { cutLaw } from '../laws/cut-law.ts';
import { MemoryServer } from '../laws/memory-server.ts';
import { testRules } from '../laws/test-rules.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const rules = testRules({
  mechanisms: [
    scramServer({ hash: 'SHA-256', plus: false, secret: Buffer.alloc(32), nextNonce: () => 'server' }),
    oauthBearer(),
    xoauth2(),
  ],
  cleartextAuth: true,
});

function observe(pieces: Buffer[]) {
  const server = new MemoryServer(rules);
  for (const piece of pieces) server.send(piece);
  return {
    asked: server.application.asked,
    said: server.transcript,
    state: server.session.state,
    login: server.session.login,
  };
}

/** The lines of an exchange, for a server whose answers are known beforehand. */
function exchange(user: string, password: string, salt: string): string {
  const client = scramClient({ hash: 'SHA-256', plus: false, nextNonce: () => 'client' }).client({
    user,
    password,
    authorizeAs: '',
  });
  const answer = client.next(Buffer.from(`r=clientserver,s=${base64(salt)},i=4096`));
  return `AUTH SCRAM-SHA-256 ${client.initial?.toString('base64')}\r\n${answer?.toString('base64')}\r\n`;
}

const hello = 'EHLO client.test\r\n';

describe('exchanges of several turns', () => {
  it('CMD-AUTH-12 CMD-AUTH-17 hold wherever they are cut, and the session goes on behind them as it was', () => {
    const right = exchange('alice', 'secret', 'salt of alice');
    const told = cutLaw(
      `${hello}${right}\r\nMAIL FROM:<a@x.test> BODY=8BITMIME\r\nRCPT TO:<b@y.test>\r\nEHLO client.test\r\n`,
      observe,
    );
    expect(told.login).toBe('alice');
    expect(told.said).toMatch(
      /\r\n334 [A-Za-z0-9+/]+=*\r\n334 dj[A-Za-z0-9+/]+=*\r\n235 2\.7\.0 [^\r]*\r\n250 2\.1\.0 /,
    );
    expect(told.said.match(/250-AUTH SCRAM-SHA-256/g)).toHaveLength(2);
  });

  it('CMD-AUTH-12 CMD-AUTH-13 hold where they fail, with what was pipelined behind them', () => {
    const wrong = exchange('alice', 'guess', 'salt of alice');
    const bearer = `AUTH OAUTHBEARER ${base64('n,,\x01auth=Bearer bad\x01\x01')}\r\nAQ==\r\n`;
    const other = `AUTH XOAUTH2 ${base64('user=alice\x01auth=Bearer good\x01\x01')}\r\n`;
    const told = cutLaw(`${hello}${wrong}NOOP\r\n${bearer}NOOP\r\n${other}NOOP\r\n`, observe);
    const codes = told.said.split('\r\n').map((line) => line.slice(0, 3));
    expect(codes.slice(-9).join(' ').trim()).toBe('334 535 250 334 535 250 235 250');
  });

  it('CMD-AUTH-12 let nobody in whose proof is wrong, though the application says yes', () => {
    const { login, said, asked } = observe([Buffer.from(`${hello}${exchange('alice', 'guess', 'salt of alice')}`)]);
    expect(login).toBeUndefined();
    expect(said).toMatch(/\r\n535 5\.7\.8 [^\r]*\r\n$/);
    expect(asked.at(-1)).toContain('"proven":false');
  });
});
