import { oauthBearer, xoauth2 } from '@posthorn/smtp/sasl/oauth';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const begin = (text: string) => oauthBearer().server().begin(Buffer.from(text));

describe('OAUTHBEARER', () => {
  it('CMD-AUTH-13 takes the example of its standard', () => {
    const message =
      'n,a=user@example.com,\x01host=server.example.com\x01port=587\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01';
    expect(begin(message)).toEqual({
      kind: 'verify',
      credentials: {
        mechanism: 'OAUTHBEARER',
        user: 'user@example.com',
        authorizeAs: '',
        token: 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==',
      },
    });
  });

  it('CMD-AUTH-13 says why a token is not taken, in JSON, before the end', () => {
    const refusal = { scope: 'mail submit', configuration: 'https://id.example/.well-known/openid-configuration' };
    const exchange = oauthBearer(refusal).server();
    exchange.begin(Buffer.from('n,,\x01auth=Bearer x\x01\x01'));
    const reason = exchange.lastWord?.(false);
    expect(JSON.parse(reason?.toString() ?? '')).toEqual({
      status: 'invalid_token',
      scope: 'mail submit',
      'openid-configuration': 'https://id.example/.well-known/openid-configuration',
    });
    expect(exchange.lastWord?.(true)).toBeUndefined();
  });

  it('CMD-AUTH-13 tells who sends no token where to get one, and asks nobody about it', () => {
    const exchange = oauthBearer({ scope: 'mail' }).server();
    expect(exchange.begin(Buffer.from('n,a=ann,\x01auth=\x01\x01'))).toEqual({
      kind: 'challenge',
      bytes: Buffer.from('{"status":"invalid_token","scope":"mail"}'),
    });
    expect(exchange.next(Buffer.from('\x01'))).toEqual({ kind: 'refused' });
  });

  it('CMD-AUTH-13 finds malformed what is no such message', () => {
    for (const text of [
      '',
      'n,,',
      'n,,\x01\x01',
      'n,,\x01auth=Bearer x\x01',
      'n,,\x01auth=Basic x\x01\x01',
      'n,,\x01auth=Bearer a b\x01\x01',
      'n,,\x01auth=Bearer x\x01auth=Bearer y\x01\x01',
      'n,a=,\x01auth=Bearer x\x01\x01',
      'n,a==41,\x01auth=Bearer x\x01\x01',
      'p=tls-exporter,,\x01auth=Bearer x\x01\x01',
      'user=ann\x01auth=Bearer x\x01\x01',
      `n,,\x01auth=Bearer ${'x'.repeat(9000)}\x01\x01`,
    ]) {
      expect(begin(text).kind, JSON.stringify(text)).toBe('malformed');
    }
    expect(oauthBearer().server().begin(undefined)).toEqual({ kind: 'challenge', bytes: Buffer.alloc(0) });
  });

  it('CMD-AUTH-13 CMD-AUTH-2 answers the reason of a refusal with one octet, and never twice', () => {
    const client = oauthBearer().client({ user: 'ann', password: 'token', authorizeAs: '' });
    expect(client.initial?.toString()).toBe('n,a=ann,\x01auth=Bearer token\x01\x01');
    expect(client.next(Buffer.from('{"status":"invalid_token"}'))?.toString('base64')).toBe('AQ==');
    client.next(Buffer.from('{}'));
    expect(client.next(Buffer.from('{}'))).toBeUndefined();
    const asked = oauthBearer().client({ user: '', password: 'token', authorizeAs: '' });
    expect(asked.next(Buffer.alloc(0))).toEqual(asked.initial);
    expect(asked.next(Buffer.alloc(0))).toBeUndefined();
    for (const login of [{ password: 'a b' }, { password: 'a\x01' }, { user: 'a\x01b' }]) {
      const other = oauthBearer().client({ user: 'ann', password: 'x', authorizeAs: '', ...login });
      expect(other.initial).toBeUndefined();
      expect(other.next(Buffer.alloc(0))).toBeUndefined();
    }
  });

  it('CMD-AUTH-13 agrees with itself for every user and token, and XOAUTH2 does', () => {
    const token = fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,60}={0,2}$/);
    const user = fc.stringMatching(/^[\x20-\x7eä]{1,30}$/);
    fc.assert(
      fc.property(user, token, fc.constantFrom(oauthBearer(), xoauth2()), (name, password, mechanism) => {
        const { initial } = mechanism.client({ user: name, password, authorizeAs: '' });
        const step = mechanism.server().begin(initial);
        expect(step).toMatchObject({ credentials: { mechanism: mechanism.name, user: name, token: password } });
      }),
    );
    fc.assert(fc.property(fc.uint8Array(), (octets) => void xoauth2().server().begin(Buffer.from(octets))));
  });
});

describe('XOAUTH2', () => {
  it('CMD-AUTH-13 takes what Google and Microsoft have clients send, and ends with an empty line', () => {
    const message = 'user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01';
    expect(xoauth2().server().begin(Buffer.from(message))).toMatchObject({
      kind: 'verify',
      credentials: {
        mechanism: 'XOAUTH2',
        user: 'someuser@example.com',
        token: 'ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg',
      },
    });
    for (const text of ['', 'user=\x01auth=Bearer x\x01\x01', 'auth=Bearer x\x01\x01', 'user=a\x01auth=x\x01\x01']) {
      expect(xoauth2().server().begin(Buffer.from(text)).kind).toBe('malformed');
    }
    const client = xoauth2().client({ user: 'ann', password: 'token', authorizeAs: '' });
    expect(client.next(Buffer.from('{"status":"400"}'))).toEqual(Buffer.alloc(0));
    expect(xoauth2().client({ user: '', password: 'token', authorizeAs: '' }).initial).toBeUndefined();
  });
});
