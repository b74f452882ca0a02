import { resolve } from 'node:path';
import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRouter } from '../../src/routing/router.ts';

const router = createRouter({
  localDomains: {
    'example.org': { deliver: 'maildir:/mail/{domain}/{local}' },
    'case.example': { deliver: 'mbox:/mail/case/{local}', caseSensitive: true },
    'store.example': { deliver: 'lmtp:/run/store.sock' },
    'void.example': { deliver: 'discard:' },
    'münchen.example': { deliver: 'maildir:/mail/{domain}/{local}' },
  },
  homeDomain: 'example.org',
  ownAddresses: ['192.0.2.1', '2001:db8::1'],
  routes: [
    { domain: 'gone.example', to: 'error:5.1.2 Gone' },
    { domain: '*.intern.example', to: 'smtp://127.0.0.5:2599' },
    { domain: 'intern.example', to: 'smtp://user:secret@[hub.example]' },
    { domain: 'direct.example', to: 'mx' },
    { domain: '*.example', to: 'smtp://smart.example' },
  ],
});

describe('createRouter', () => {
  it('CLI-MX-12 takes the first route that fits before the mail exchangers', () => {
    expect(router.route('a@gone.example')).toMatchObject({ kind: 'nowhere', status: '5.1.2', text: 'Gone' });
    expect(router.route('a@x.y.intern.example')).toMatchObject({ kind: 'smtp', host: '127.0.0.5', port: 2599 });
    expect(router.route('a@INTERN.example')).toMatchObject({
      host: 'hub.example',
      lookupMx: false,
      login: { user: 'user' },
    });
    expect(router.route('a@direct.example')).toMatchObject({ kind: 'mx', domain: 'direct.example' });
    expect(router.route('a@other.example')).toMatchObject({ kind: 'smtp', host: 'smart.example', lookupMx: true });
    expect(router.route('a@Elsewhere.TEST')).toEqual({
      kind: 'mx',
      key: 'mx:elsewhere.test',
      domain: 'elsewhere.test',
    });
    expect(router.route('a@deep.elsewhere.test')).toMatchObject({ domain: 'deep.elsewhere.test' });
  });

  it('a smart host for * takes all mail but that of local domains', () => {
    const smart = createRouter({
      localDomains: { 'example.org': { deliver: 'discard:' } },
      routes: [{ domain: '*', to: 'smtp://smart.example' }],
    });
    expect(smart.route('a@example.org').kind).toBe('discard');
    expect(smart.route('a@[203.0.113.9]')).toMatchObject({ kind: 'smtp', host: 'smart.example' });
  });

  it('EX-17 gives one key to recipients of one site, another to those of another', () => {
    const key = (address: string) => router.route(address).key;
    expect(key('jones@xyz.test')).toBe(key('Brown@XYZ.TEST'));
    expect(key('jones@xyz.test')).not.toBe(key('jones@isi.test'));
    expect(key('a@one.intern.example')).toBe(key('b@two.intern.example'));
    expect(key('a@intern.example')).not.toContain('secret');
    expect(key('a@store.example')).toBe(key('b@store.example'));
    expect(key('a@example.org')).not.toBe(key('b@example.org'));
  });

  it('CLI-MX-8 asks no exchangers for an address literal, and takes its own address for itself', () => {
    expect(router.route('user@[198.51.100.7]')).toMatchObject({ kind: 'mx', domain: '[198.51.100.7]' });
    expect(router.route('user@[192.0.2.1]')).toMatchObject({ kind: 'maildir', path: '/mail/example.org/user' });
    expect(router.route('user@[IPv6:2001:DB8:0:0:0:0:0:1]')).toMatchObject({ path: '/mail/example.org/user' });
    expect(router.route('user@[IPv6:::ffff:192.0.2.1]')).toMatchObject({ path: '/mail/example.org/user' });
    expect(router.route('user@[x25:1234]')).toMatchObject({ kind: 'nowhere', status: '5.1.2' });
  });

  it('LOC-2 folds the case of local-parts where the domain is not told otherwise', () => {
    expect(router.route('Alice@Example.ORG')).toEqual(router.route('alice@example.org'));
    expect(router.route('Alice@case.example')).toMatchObject({ kind: 'mbox', path: '/mail/case/Alice' });
    expect(router.route('alice@case.example')).toMatchObject({ path: '/mail/case/alice' });
  });

  it('delivers local domains by their targets, in whichever form the domain is written', () => {
    expect(router.route('a@store.example')).toMatchObject({ kind: 'lmtp', path: '/run/store.sock' });
    expect(router.route('a@void.example')).toMatchObject({ kind: 'discard' });
    const path = '/mail/xn--mnchen-3ya.example/jürgen';
    expect(router.route('ju\u0308rgen@MÜNCHEN.example')).toMatchObject({ path });
    expect(router.route('jürgen@xn--mnchen-3ya.example')).toMatchObject({ path });
    expect(router.route('POSTMASTER')).toMatchObject({ path: '/mail/example.org/postmaster' });
  });

  it('asks which mailbox an address belongs to, and bounces when it is gone', () => {
    const asking = createRouter({
      localDomains: { 'example.org': { deliver: 'maildir:/mail/{local}' } },
      locate: (address) => (address.startsWith('alice+') ? { mailbox: 'alice@example.org' } : {}),
    });
    expect(asking.route('alice+news@example.org')).toMatchObject({ path: '/mail/alice' });
    expect(asking.route('bob@example.org')).toMatchObject({ kind: 'nowhere', status: '5.1.1' });
    expect(asking.route('bob@elsewhere.test')).toMatchObject({ kind: 'mx' });
  });

  it('sends on what a domain has elsewhere', () => {
    const split = createRouter({
      localDomains: { 'example.org': { deliver: 'maildir:/mail/{local}', relay: true } },
      routes: [{ domain: 'example.org', to: 'smtp://[old.example.org]' }],
      locate: (address) => (address === 'alice@example.org' ? { mailbox: address } : {}),
    });
    expect(split.route('alice@example.org')).toMatchObject({ path: '/mail/alice' });
    expect(split.route('bob@example.org')).toMatchObject({ kind: 'smtp', host: 'old.example.org' });
  });

  it('leads no hostile local-part out of the mail folder', () => {
    const unit = fc.constantFrom('.', '/', '\\', '%', '~', 'a', ' ', '"', '@', '{local}');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 10 }), (localPart) => {
        const nextHop = router.route(formatMailbox({ localPart, domain: 'example.org' }));
        if (nextHop.kind !== 'maildir') throw new Error(`no mailbox: ${nextHop.key}`);
        expect(resolve(nextHop.path)).toBe(nextHop.path);
        expect(nextHop.path).toMatch(/^\/mail\/example\.org\/[^./][^/]*$/);
      }),
    );
    expect(router.route('../../etc/passwd@example.org')).toMatchObject({ kind: 'nowhere', status: '5.1.3' });
  });

  it('answers malformed addresses with a failure', () => {
    for (const address of [
      '',
      'nobody',
      '@example.org',
      'a@',
      'a@b@c',
      'a b@example.org',
      'a@-x',
      'a@example.org> x',
    ]) {
      expect(router.route(address), address).toMatchObject({ kind: 'nowhere', status: '5.1.3' });
    }
  });

  it('refuses a faulty configuration', () => {
    const target = { deliver: 'discard:' };
    expect(() => createRouter({ localDomains: { 'a..b': target } })).toThrow('a..b');
    expect(() => createRouter({ localDomains: { 'example.org': { deliver: 'dustbin:' } } })).toThrow('a target is');
    expect(() => createRouter({ localDomains: {}, routes: [{ domain: '*.', to: 'mx' }] })).toThrow('*.');
    expect(() => createRouter({ localDomains: {}, routes: [{ domain: '*', to: 'smtp:x' }] })).toThrow('smtp://');
  });

  it('LOC-AL-2 LOC-FW-2 sends to what an alias names instead of an address, with the detail, and never mixes details', () => {
    const router = createRouter({
      localDomains: {},
      locate: (address) => ({ extension: address.split('+')[1]?.split('@')[0] ?? '' }),
    });
    expect(router.route('a+x@example.org', 'pipe:run')).toEqual({
      kind: 'pipe',
      key: 'pipe:run +x',
      command: 'run',
      extension: 'x',
    });
    expect(router.route('a@example.org', 'mbox:/var/mail/a')).toMatchObject({ kind: 'mbox', path: '/var/mail/a' });
    expect(router.route('a@example.org', 'resend:')).toEqual({
      kind: 'resend',
      key: 'resend:a@example.org',
      address: 'a@example.org',
    });
    expect(router.route('a@example.org', 'garbage')).toMatchObject({ kind: 'nowhere', status: '5.3.5' });
  });

  it('CMD-RCPT-11 EXT-GSTN-1 gives mailboxes their bounds, numbers their gateway, and disabled ones nothing', () => {
    const bounds = { quota: 7 };
    const router = createRouter({
      localDomains: { 'example.org': { deliver: 'maildir:/m/{local}', gateway: 'pipe:fax' } },
      locate(address) {
        if (address.startsWith('FAX')) return { isNumber: true };
        return { mailbox: address, bounds, disabled: address.startsWith('off') };
      },
    });
    expect(router.route('alice@example.org')).toMatchObject({ kind: 'maildir', path: '/m/alice', bounds });
    expect(router.route('off@example.org')).toMatchObject({ kind: 'nowhere', status: '5.2.1' });
    expect(router.route('FAX=+390203@example.org')).toMatchObject({ kind: 'pipe', command: 'fax', gateway: true });
  });
});
