import { proxyMatcher } from '@posthorn/smtp/net/proxies';
import { expect, it } from 'vitest';

it('knows the proxies of every network, and nothing that is no address', () => {
  const isProxy = proxyMatcher(['10.0.0.0/8', '::1']);
  expect(['10.255.0.1', '::ffff:10.0.0.1', '::1'].every(isProxy)).toBe(true);
  expect(['11.0.0.1', '::2', 'local'].some(isProxy)).toBe(false);
});

it.each(['', '10.0.0.0/33', '10.0.0/8', 'example.org'])('refuses %j', (network) => {
  expect(() => proxyMatcher(['10.0.0.0/8', network])).toThrow(expect.objectContaining({ kind: 'invalid' }));
});
