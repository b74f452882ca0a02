import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../src/routing/target.ts';

describe('parseTarget', () => {
  it('CLI-MX-12 reads hosts with port, TLS policy and login; brackets, addresses and other ports turn MX off', () => {
    const plain = { kind: 'smtp', port: 25, tls: 'opportunistic' };
    expect(parseTarget('smtp://relay.example')).toEqual({ ...plain, host: 'relay.example', lookupMx: true });
    expect(parseTarget('smtp://Relay.Example:25/')).toEqual({ ...plain, host: 'relay.example', lookupMx: true });
    expect(parseTarget('smtp://[relay.example]')).toEqual({ ...plain, host: 'relay.example', lookupMx: false });
    expect(parseTarget('smtp://127.0.0.5:2599')).toEqual({ ...plain, host: '127.0.0.5', port: 2599, lookupMx: false });
    expect(parseTarget('smtp://[2001:DB8::1]')).toEqual({ ...plain, host: '2001:db8::1', lookupMx: false });
    expect(parseTarget('smtp://[IPv6:::1]:26')).toEqual({ ...plain, host: '::1', port: 26, lookupMx: false });
    expect(parseTarget('smtp://relay.example?tls=none')).toMatchObject({ tls: 'none' });
    expect(parseTarget('smtp://relay.example?tls=implicit')).toMatchObject({
      port: 465,
      tls: 'implicit',
      lookupMx: false,
    });
    expect(parseTarget('smtps://relay.example')).toMatchObject({ port: 465, tls: 'implicit' });
    expect(parseTarget('smtp://relay.example:465')).toMatchObject({ tls: 'implicit' });
    expect(parseTarget('smtp://münchen.example')).toMatchObject({ host: 'xn--mnchen-3ya.example' });
    expect(parseTarget('smtp://a%40b:p%3Aw@relay.example:587')).toEqual({
      kind: 'smtp',
      host: 'relay.example',
      port: 587,
      lookupMx: false,
      tls: 'starttls',
      login: { user: 'a@b', password: 'p:w' },
    });
  });

  it('never sends a login where it could be read', () => {
    for (const target of ['smtp://u:p@relay.example?tls=none', 'smtp://u:p@relay.example?tls=opportunistic']) {
      expect(parseTarget(target)).toBe('a login needs tls=starttls or tls=implicit');
    }
    expect(parseTarget('smtp://u:p@127.0.0.1:2525?tls=none')).toMatchObject({ tls: 'none', login: { user: 'u' } });
    expect(parseTarget('lmtp://u:p@store.example')).toMatchObject({ tls: 'starttls' });
  });

  it('reads LMTP over TCP and over a socket', () => {
    const host = { kind: 'lmtp', host: 'store.example', lookupMx: false, tls: 'none' };
    expect(parseTarget('lmtp://store.example')).toEqual({ ...host, port: 24 });
    expect(parseTarget('lmtp:store.example:2003')).toEqual({ ...host, port: 2003 });
    expect(parseTarget('lmtp:/run/lmtp.sock')).toEqual({
      kind: 'lmtp',
      path: '/run/lmtp.sock',
      lookupMx: false,
      tls: 'none',
    });
  });

  it('LOC-AL-2 reads programs, whose words are never parts of an address', () => {
    expect(parseTarget('pipe:/usr/bin/deliver -x "a b"')).toEqual({
      kind: 'pipe',
      command: '/usr/bin/deliver -x "a b"',
    });
    expect(parseTarget('PIPE: run {local}')).toEqual({ kind: 'pipe', command: 'run {local}' });
    for (const bad of ['pipe:', 'pipe: ', 'pipe:a\nb', 'pipe:a\0'])
      expect(parseTarget(bad)).toContain('a command has to follow');
  });

  it('reads mailboxes, discard, mx and errors', () => {
    expect(parseTarget('mx')).toEqual({ kind: 'mx' });
    expect(parseTarget('discard:')).toEqual({ kind: 'discard' });
    expect(parseTarget('odmr:')).toEqual({ kind: 'odmr' });
    expect(parseTarget('maildir:/mail/{domain}/{local}')).toEqual({ kind: 'maildir', path: '/mail/{domain}/{local}' });
    expect(parseTarget('mbox:/mail/{local}')).toEqual({ kind: 'mbox', path: '/mail/{local}' });
    expect(parseTarget('error:5.1.2 Gone away')).toEqual({ kind: 'nowhere', status: '5.1.2', text: 'Gone away' });
    expect(parseTarget('error:5.07.001')).toMatchObject({ status: '5.7.1' });
  });

  it('says in words what is wrong', () => {
    const faulty = [
      '',
      'MX',
      'relay.example',
      'http://relay.example',
      'smtp:relay.example',
      'smtp://',
      'smtp://a b',
      'smtp://::1',
      'smtp://x:0',
      'smtp://x:99999',
      'smtp://x?tls=yes',
      'smtp://x?port=1',
      'smtp://x?tls=none?',
      'smtps://x?tls=none',
      'smtp://u@x',
      'smtp://:p@x',
      'smtp://u:%zz@x',
      'smtp://[',
      'smtp://[]',
      'smtp://-x',
      'maildir:',
      'maildir:/{user}',
      'mbox:/a\0b',
      'discard:all',
      'odmr:example.org',
      'error:4.1.1 later',
      'error:5.1',
      'error:5.1.1 ü',
      `lmtp:/${'x'.repeat(200)}`,
    ];
    for (const text of faulty) expect(parseTarget(text), text).toBeTypeOf('string');
  });

  it('never throws, whatever the text', () => {
    const scheme = fc.constantFrom('smtp://', 'smtps://', 'lmtp:', 'maildir:', 'error:', '');
    fc.assert(fc.property(scheme, fc.string({ unit: 'binary' }), (start, rest) => void parseTarget(start + rest)));
  });
});
