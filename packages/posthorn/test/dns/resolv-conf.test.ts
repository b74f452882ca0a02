import { describe, expect, it } from 'vitest';
import { parseNameServer } from '../../src/dns/name-server.ts';
import { parseResolvConf } from '../../src/dns/resolv-conf.ts';

describe('parseResolvConf', () => {
  it('reads servers and options, and no search list', () => {
    const text =
      'search example.com\nnameserver 192.0.2.1 # first\nnameserver fe80::1%eth0\n; no\noptions timeout:1 attempts:3\noptions trust-ad\n';
    expect(parseResolvConf(text)).toEqual({
      servers: [
        { address: '192.0.2.1', port: 53 },
        { address: 'fe80::1%eth0', port: 53 },
      ],
      timeout: 1000,
      attempts: 3,
      trustAd: true,
    });
  });

  it('asks this machine when the file names no server, and three servers at most', () => {
    expect(parseResolvConf('nameserver nonsense\noptions timeout:x')).toEqual({
      servers: [{ address: '127.0.0.1', port: 53 }],
      trustAd: false,
    });
    expect(parseResolvConf('nameserver 192.0.2.1\n'.repeat(9)).servers).toHaveLength(3);
  });
});

describe('parseNameServer', () => {
  it('reads an address with and without port', () => {
    expect(parseNameServer('127.0.0.1:5353')).toEqual({ address: '127.0.0.1', port: 5353 });
    expect(parseNameServer('192.0.2.1')).toEqual({ address: '192.0.2.1', port: 53 });
    expect(parseNameServer('2001:db8::1')).toEqual({ address: '2001:db8::1', port: 53 });
    expect(parseNameServer('[::1]:53')).toEqual({ address: '::1', port: 53 });
    expect(parseNameServer('[::1]')).toEqual({ address: '::1', port: 53 });
  });

  it('refuses names, empty texts and ports that are none', () => {
    for (const text of ['', 'ns.test', '[::1', '::1]:53', '127.0.0.1:0', '127.0.0.1:70000', '127.0.0.1:', '1.2.3:53']) {
      expect(parseNameServer(text)).toBeUndefined();
    }
  });
});
