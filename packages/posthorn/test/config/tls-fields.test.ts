import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/config/check-config.ts';

const least = {
  hostname: 'mx.example.org',
  dataDir: '/tmp/data',
  listeners: [{ role: 'mx', port: 0 }],
  domains: { 'example.org': { deliver: 'maildir:/mail/{local}', mailboxes: '*' } },
};

/** The mistakes of a configuration: path and message. */
function mistakes(change: object): string[] {
  const checked = checkConfig({ ...least, ...change });
  return 'config' in checked ? [] : checked.mistakes.map(({ path, message }) => `${path}: ${message}`);
}

describe('outboundTls', () => {
  it('CMD-TLS-10 is TLS where it is offered, and what domains publish, unless something else is said', () => {
    const checked = checkConfig(least);
    expect('config' in checked && checked.config.outboundTls).toEqual({ default: 'may', mtaSts: true, domains: {} });
    expect('config' in checked && checked.config.dns).toEqual({ validating: false });
  });

  it('CMD-TLS-10 takes levels for domains, with the names of certificates', () => {
    const domains = {
      'a.example': { level: 'verify', names: ['mx.example', '.host.example'] },
      '*': { level: 'encrypt' },
    };
    expect(mistakes({ outboundTls: { default: 'none', domains } })).toEqual([]);
    expect(mistakes({ outboundTls: { default: 'dan' } })[0]).toContain('did you mean dane?');
    expect(mistakes({ outboundTls: { domains: { 'a.example': { level: 'may', names: ['a.example'] } } } })[0]).toMatch(
      /^outboundTls\.domains\["a\.example"\]\.names: has no effect/,
    );
    expect(mistakes({ outboundTls: { domains: { 'a.example': { level: 'verify', names: ['*'] } } } })).toHaveLength(1);
  });

  it('SEC-DANE-2 stands on name servers that validate, and on a way to them that is safe', () => {
    const level = { outboundTls: { domains: { 'a.example': { level: 'dane' } } } };
    expect(mistakes(level)[0]).toMatch(/level: needs proven answers/);
    expect(mistakes({ ...level, dns: { validating: true } })).toEqual([]);
    expect(mistakes({ dns: { validating: true, servers: ['127.0.0.1', '[::1]:5353'] } })).toEqual([]);
    const far = { validating: true, servers: ['127.0.0.1', '192.0.2.1'] };
    expect(mistakes({ dns: far })).toEqual([
      'dns.servers[1]: is not on this machine: what it says could be forged on the way',
    ]);
    expect(mistakes({ dns: { ...far, trustAd: true } })).toEqual([]);
    expect(mistakes({ outboundTls: { default: 'mta-sts', mtaSts: false } })[0]).toMatch(/^outboundTls\.default: needs/);
  });
});
