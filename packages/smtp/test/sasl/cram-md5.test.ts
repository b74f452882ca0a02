import { cramMd5Client, cramMd5Server } from '@posthorn/smtp/sasl/cram-md5';
import type { Credentials, ServerStep } from '@posthorn/smtp/sasl/mechanism';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const challenge = '<1896.697170952@postoffice.reston.mci.net>';
const server = () => cramMd5Server(() => challenge).server();

function credentialsOf(step: ServerStep): Credentials {
  if (step.kind !== 'verify') throw new Error(`It says ${step.kind}`);
  return step.credentials;
}

function proves(credentials: Credentials, secret: string): boolean {
  return 'proves' in credentials && credentials.proves(secret);
}

describe('CRAM-MD5', () => {
  it('CMD-AUTH-11 asks with the challenge, and answers as the example of its standard does', () => {
    expect(server().begin(undefined)).toEqual({ kind: 'challenge', bytes: Buffer.from(challenge) });
    const client = cramMd5Client.client({ user: 'tim', password: 'tanstaaftanstaaf', authorizeAs: '' });
    expect(client.initial).toBeUndefined();
    expect(client.next(Buffer.from(challenge))?.toString()).toBe('tim b913a602c7eda7a495b4e6e7334d3890');
  });

  it('CMD-AUTH-11 tells the right secret from all others, without having it', () => {
    const credentials = credentialsOf(server().next(Buffer.from('tim b913a602c7eda7a495b4e6e7334d3890')));
    expect(credentials).toMatchObject({ mechanism: 'CRAM-MD5', user: 'tim', authorizeAs: '' });
    expect(credentials.password).toBeUndefined();
    expect(proves(credentials, 'tanstaaftanstaaf')).toBe(true);
    expect(proves(credentials, 'tanstaaftanstaaF')).toBe(false);
    expect(proves(credentials, '')).toBe(false);
  });

  it('CMD-AUTH-11 takes only lower-case digits for the digest', () => {
    for (const digest of ['B913A602C7EDA7A495B4E6E7334D3890', 'b913a602', '', 'b913a602c7eda7a495b4e6e7334d389ö']) {
      const credentials = credentialsOf(server().next(Buffer.from(`tim ${digest}`)));
      expect(proves(credentials, 'tanstaaftanstaaf')).toBe(false);
    }
  });

  it('CMD-AUTH-11 splits at the last blank, and finds an answer malformed that has none', () => {
    expect(credentialsOf(server().next(Buffer.from('the tim 00'))).user).toBe('the tim');
    for (const answer of ['', 'tim', ' b913a602c7eda7a495b4e6e7334d3890', 'ti\0m 00']) {
      expect(server().next(Buffer.from(answer))).toEqual({ kind: 'malformed' });
    }
    expect(server().next(Buffer.from([0xff, 0x20, 0x30]))).toEqual({ kind: 'malformed' });
  });

  it('CMD-AUTH-3 CMD-AUTH-11 wants no initial response', () => {
    expect(server().begin(Buffer.from('tim 00'))).toEqual({ kind: 'early' });
    expect(server().begin(Buffer.alloc(0))).toEqual({ kind: 'early' });
  });

  it('CMD-AUTH-11 asks anew each time, so that an answer lets nobody in twice', () => {
    let count = 0;
    const mechanism = cramMd5Server(() => `<${++count}.1@x.test>`);
    const client = cramMd5Client.client({ user: 'tim', password: 'secret', authorizeAs: '' });
    const first = mechanism.server();
    const step = first.begin(undefined);
    const answer = client.next(step.kind === 'challenge' ? step.bytes : Buffer.alloc(0)) ?? Buffer.alloc(0);
    expect(proves(credentialsOf(first.next(answer)), 'secret')).toBe(true);
    expect(proves(credentialsOf(mechanism.server().next(answer)), 'secret')).toBe(false);
  });

  it('CMD-AUTH-11 agrees with itself for every user, secret and challenge', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((given) => !given.includes('\0'));
    fc.assert(
      fc.property(text, text, text, (user, password, asked) => {
        const client = cramMd5Client.client({ user, password, authorizeAs: '' });
        const answer = client.next(Buffer.from(asked)) ?? Buffer.alloc(0);
        const credentials = credentialsOf(
          cramMd5Server(() => asked)
            .server()
            .next(answer),
        );
        expect(credentials.user).toBe(user);
        expect(proves(credentials, password)).toBe(true);
        expect(proves(credentials, `${password}x`)).toBe(false);
      }),
    );
  });

  it('CMD-AUTH-11 answers no second challenge, and none for an identity that it cannot name', () => {
    const client = cramMd5Client.client({ user: 'tim', password: 'x', authorizeAs: 'tim' });
    expect(client.next(Buffer.from(challenge))).toBeDefined();
    expect(client.next(Buffer.from(challenge))).toBeUndefined();
    for (const login of [{ authorizeAs: 'bob' }, { user: '' }, { user: 'a\0b' }]) {
      const other = cramMd5Client.client({ user: 'tim', password: 'x', authorizeAs: '', ...login });
      expect(other.next(Buffer.from(challenge))).toBeUndefined();
    }
  });
});
