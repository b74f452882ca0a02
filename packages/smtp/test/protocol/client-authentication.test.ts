import { ClientAuthentication } from '@posthorn/smtp/protocol/client-authentication';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import { plain } from '@posthorn/smtp/sasl/plain';
import { scramClient } from '@posthorn/smtp/sasl/scram-client';
import { describe, expect, it } from 'vitest';
import { MemoryClient } from '../laws/memory-client.ts';

const scram = scramClient({ hash: 'SHA-256', plus: false, nextNonce: () => 'mine' });
const login = { user: 'ann', password: 'secret', authorizeAs: '' };
const ok = reply(235, '2.7.0', 'Welcome');
const challenge = (text: string): Reply => reply(334, undefined, Buffer.from(text).toString('base64'));

describe('a client that wants proof of its host', () => {
  it('CMD-AUTH-12 takes no host for its own that only says yes, at any point', () => {
    const first = 'r=mineyours,s=c2FsdHNhbHQ=,i=4096';
    for (const said of [[], [challenge(first)], [challenge(first), challenge('v=AAAA')], [challenge('nonsense')]]) {
      const authentication = new ClientAuthentication(login, [scram]);
      expect(authentication.begin()).toMatch(/^AUTH SCRAM-SHA-256 /);
      for (const each of said) expect(authentication.next(each).kind).toBe('send');
      expect(authentication.next(ok)).toEqual({ kind: 'unproven' });
    }
  });

  it('CMD-AUTH-12 goes no further with such a host', () => {
    const client = new MemoryClient({ login, mechanisms: [scram], privacy: 'verified' });
    for (const text of [
      '220 mx.example.test\r\n',
      '250-mx.example.test\r\n250 AUTH SCRAM-SHA-256\r\n',
      '235 2.7.0 Welcome\r\n',
    ]) {
      client.send(Buffer.from(text));
      if (!text.startsWith('235')) client.line();
    }
    expect(client.events).toContainEqual({ kind: 'refused', phase: 'auth', lack: 'proof of the host' });
  });

  it('CMD-AUTH-12 tries a weaker way only where the host finds the stronger one unfit, not where it fails', () => {
    const both = () => new ClientAuthentication(login, [scram, plain]);
    const passing = both();
    passing.begin();
    expect(passing.next(reply(504, '5.5.4', 'Not here'))).toMatchObject({
      line: expect.stringMatching(/^AUTH PLAIN /),
    });
    const failing = both();
    failing.begin();
    expect(failing.next(reply(535, '5.7.8', 'No'))).toMatchObject({ kind: 'refused' });
  });
});
