import { plain } from '@posthorn/smtp/sasl/plain';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const login = { user: 'alice', password: 'pässword', authorizeAs: '' };

describe('PLAIN', () => {
  it('CMD-AUTH-9 reads identity to act as, identity and password, in UTF-8', () => {
    expect(plain.server().begin(Buffer.from('\0alice\0pässword'))).toEqual({
      kind: 'verify',
      credentials: { mechanism: 'PLAIN', user: 'alice', password: 'pässword', authorizeAs: '' },
    });
    expect(plain.server().begin(Buffer.from('bob\0alice\0secret'))).toMatchObject({
      credentials: { user: 'alice', authorizeAs: 'bob' },
    });
    const long = 'x'.repeat(255);
    expect(plain.server().begin(Buffer.from(`${long}\0${long}\0${long}`))).toMatchObject({ kind: 'verify' });
  });

  it.each(['', '\0', 'alice', 'alice\0secret', '\0\0secret', '\0alice\0', '\0alice\0secret\0', 'a\0b\0c\0d', '\0\0'])(
    'CMD-AUTH-9 finds %j malformed',
    (message) => {
      expect(plain.server().begin(Buffer.from(message))).toEqual({ kind: 'malformed' });
      expect(plain.server().next(Buffer.from(message))).toEqual({ kind: 'malformed' });
    },
  );

  it('CMD-AUTH-9 finds octets malformed that are no UTF-8', () => {
    for (const octets of ['00ff0061', '0061 00 c0af', '0061 00 eda080']) {
      const message = Buffer.from(octets.replaceAll(' ', ''), 'hex');
      expect(plain.server().begin(message)).toEqual({ kind: 'malformed' });
    }
  });

  it('CMD-AUTH-2 CMD-AUTH-3 asks with an empty challenge when no response came, and takes an empty response for one', () => {
    const server = plain.server();
    expect(server.begin(undefined)).toEqual({ kind: 'challenge', bytes: Buffer.alloc(0) });
    expect(server.next(Buffer.from('\0a\0b'))).toMatchObject({ kind: 'verify' });
    expect(plain.server().begin(Buffer.alloc(0))).toEqual({ kind: 'malformed' });
  });

  it('CMD-AUTH-9 reads on the server what it wrote on the client, at once or when asked', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((given) => !given.includes('\0'));
    fc.assert(
      fc.property(text, text, fc.oneof(fc.constant(''), text), (user, password, authorizeAs) => {
        const expected = { kind: 'verify', credentials: { mechanism: 'PLAIN', user, password, authorizeAs } };
        const client = plain.client({ user, password, authorizeAs });
        expect(plain.server().begin(client.initial)).toEqual(expected);
        expect(plain.server().next(client.next(Buffer.alloc(0)) ?? Buffer.alloc(0))).toEqual(expected);
      }),
    );
  });

  it('CMD-AUTH-9 sends no credentials that would be read as others', () => {
    for (const part of [
      { user: 'a\0b' },
      { password: 'a\0b' },
      { authorizeAs: 'a\0b' },
      { user: '' },
      { password: '' },
    ]) {
      const client = plain.client({ ...login, ...part });
      expect(client.initial).toBeUndefined();
      expect(client.next(Buffer.alloc(0))).toBeUndefined();
    }
  });

  it('CMD-AUTH-2 cancels when it is asked again and again', () => {
    const client = plain.client(login);
    expect(client.next(Buffer.alloc(0))).toEqual(client.initial);
    expect(client.next(Buffer.alloc(0))).toBeUndefined();
  });

  it('CMD-AUTH-8 says that it shows the password', () => {
    expect(plain).toMatchObject({ name: 'PLAIN', revealsPassword: true });
  });
});
