import { login } from '@posthorn/smtp/sasl/login';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const password = { kind: 'challenge', bytes: Buffer.from('UGFzc3dvcmQ6', 'base64') };
const alice = {
  kind: 'verify',
  credentials: { mechanism: 'LOGIN', user: 'alice', password: 'secret', authorizeAs: '' },
};

describe('LOGIN', () => {
  it('CMD-AUTH-10 asks for the user name, then for the password', () => {
    const server = login.server();
    expect(server.begin(undefined)).toEqual({ kind: 'challenge', bytes: Buffer.from('VXNlcm5hbWU6', 'base64') });
    expect(server.next(Buffer.from('alice'))).toEqual(password);
    expect(server.next(Buffer.from('secret'))).toEqual(alice);
  });

  it('CMD-AUTH-10 takes the user name that came with the command', () => {
    const server = login.server();
    expect(server.begin(Buffer.from('alice'))).toEqual(password);
    expect(server.next(Buffer.from('secret'))).toEqual(alice);
  });

  it('CMD-AUTH-10 finds empty words, NUL and what is no UTF-8 malformed', () => {
    for (const octets of [Buffer.alloc(0), Buffer.from('a\0b'), Buffer.from([0xff])]) {
      const server = login.server();
      server.begin(undefined);
      expect(server.next(octets)).toEqual({ kind: 'malformed' });
      expect(login.server().begin(octets)).toEqual({ kind: 'malformed' });
      const second = login.server();
      second.begin(Buffer.from('alice'));
      expect(second.next(octets)).toEqual({ kind: 'malformed' });
    }
  });

  it('CMD-AUTH-10 answers prompts in their order, whatever they say, and no third one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (prompt) => {
        const client = login.client({ user: 'älice', password: 'secret', authorizeAs: '' });
        expect(client.initial).toBeUndefined();
        expect(client.next(Buffer.from(prompt))).toEqual(Buffer.from('älice'));
        expect(client.next(Buffer.from(prompt))).toEqual(Buffer.from('secret'));
        expect(client.next(Buffer.from(prompt))).toBeUndefined();
      }),
    );
  });

  it('CMD-AUTH-10 sends nothing that its own server would not read', () => {
    for (const part of [{ user: '' }, { password: '' }, { user: 'a\0' }, { password: '\0' }]) {
      const client = login.client({ user: 'alice', password: 'secret', authorizeAs: '', ...part });
      expect(client.next(Buffer.alloc(0))).toBeUndefined();
    }
  });

  it('CMD-AUTH-8 says that it shows the password', () => {
    expect(login).toMatchObject({ name: 'LOGIN', revealsPassword: true });
  });
});
