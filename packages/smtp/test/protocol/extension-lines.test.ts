import { offerOf } from '@posthorn/smtp/protocol/extensions';
import type { Role } from '@posthorn/smtp/protocol/server-rules';
import { describe, expect, it } from 'vitest';
import { MemoryServer } from '../laws/memory-server.ts';
import { testRules } from '../laws/test-rules.ts';

const all = {
  deliverBy: {},
  futureRelease: { longest: 86_400 },
  priority: {},
  noSoliciting: {},
  rrvs: true,
  requireTls: true,
  tracking: true,
  checkpoint: true,
};

const keywords = [
  'DELIVERBY',
  'FUTURERELEASE',
  'MT-PRIORITY',
  'NO-SOLICITING',
  'RRVS',
  'MTRK',
  'CHECKPOINT',
  'REQUIRETLS',
];

/** The lines of the reply to EHLO, or LHLO. */
function greet(server: MemoryServer, role: Role = 'mx'): string[] {
  const said = server.say(`${role === 'lmtp' ? 'LHLO' : 'EHLO'} client.test`);
  return said
    .trimEnd()
    .split('\r\n')
    .map((line) => line.slice(4));
}

function offered(role: Role, extensions: object): string[] {
  return greet(new MemoryServer(testRules({ role, extensions })), role).map((line) => line.split(' ')[0] as string);
}

describe('the reply to EHLO', () => {
  it('EXT-FUT-1 SUB-13 has each extension where it is meant for, and only if it is served', () => {
    const served = (role: Role) =>
      offered(role, all)
        .filter((keyword) => keywords.includes(keyword))
        .sort();
    expect(served('mx')).toEqual(['CHECKPOINT', 'DELIVERBY', 'MT-PRIORITY', 'MTRK', 'NO-SOLICITING', 'RRVS']);
    expect(served('submission')).toEqual([...served('mx'), 'FUTURERELEASE'].sort());
    expect(served('submissions')).toEqual(served('submission'));
    expect(served('lmtp')).toEqual(['MT-PRIORITY', 'MTRK']);
    for (const role of ['mx', 'submission', 'submissions', 'lmtp'] as const) {
      expect(
        offered(role, {}).filter((keyword) => keywords.includes(keyword)),
        role,
      ).toEqual([]);
    }
  });

  it('SUB-13 offers on submission all that a submission server should, and nothing that it must not', () => {
    const rules = testRules({ role: 'submission', extensions: all });
    for (const authenticated of [false, true]) {
      const { keywords: offer } = offerOf(rules, { secure: true, authenticated });
      const should = ['AUTH', 'PIPELINING', 'ENHANCEDSTATUSCODES', 'DSN', '8BITMIME'];
      for (const keyword of [...should, 'SIZE', 'CHUNKING', 'BINARYMIME', 'SMTPUTF8', 'LIMITS', ...keywords]) {
        expect(offer.has(keyword), keyword).toBe(true);
      }
      for (const keyword of ['ETRN', 'ATRN', 'TURN']) expect(offer.has(keyword), keyword).toBe(false);
    }
  });

  it('EXT-NOSOL-1 has the classes that fit its line, and refuses the others as well', () => {
    const refused = Array.from({ length: 60 }, (_, index) => `org.example:CLASS-${index}`);
    const server = new MemoryServer(testRules({ extensions: { noSoliciting: { refused } } }));
    const line = greet(server).find((text) => text.startsWith('NO-SOLICITING')) ?? '';
    expect(line.length).toBeLessThanOrEqual(506);
    const told = line.split(' ')[1]?.split(',') ?? [];
    expect(told).toEqual(refused.slice(0, told.length));
    expect(told.length).toBeLessThan(refused.length);
    server.say(`MAIL FROM:<a@x.test> SOLICIT=${refused.at(-1)}`);
    expect(server.say('RCPT TO:<b@y.test>')).toMatch(/^550 5\.7\.1 .*SOLICIT=org\.example:CLASS-59\r\n$/);
  });

  it('EXT-FUT-1 tells the latest release anew each time, and keeps to what it told', () => {
    let now = Date.UTC(2026, 10, 25);
    const rules = testRules({ role: 'submission', extensions: { futureRelease: { longest: 60 } }, now: () => now });
    const server = new MemoryServer(rules);
    expect(greet(server)).toContain('FUTURERELEASE 60 2026-11-25T00:01:00Z');
    now += 30_500;
    const late = 'MAIL FROM:<a@x.test> HOLDUNTIL=2026-11-25T00:01:01Z';
    expect(server.say(late)).toMatch(/^501 5\.5\.4 /);
    expect(server.say('MAIL FROM:<a@x.test> HOLDUNTIL=2026-11-25T00:00:30Z')).toMatch(/^501 5\.5\.4 /);
    expect(greet(server)).toContain('FUTURERELEASE 60 2026-11-25T00:01:30Z');
    expect(server.say(late)).toMatch(/^250 2\.1\.0 /);
  });
});
