import { parseNetworks } from '@posthorn/smtp/net/networks';
import { expect, it } from 'vitest';

it('reads networks and single addresses of both families', () => {
  const list = parseNetworks(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1']);
  expect(['10.255.0.1', '192.0.2.7'].every((address) => list.check(address))).toBe(true);
  expect(['11.0.0.1', '192.0.2.8'].some((address) => list.check(address))).toBe(false);
  expect(['2001:db8:ffff::1', '::1'].every((address) => list.check(address, 'ipv6'))).toBe(true);
  expect(['2001:db9::1', '::2'].some((address) => list.check(address, 'ipv6'))).toBe(false);
});

it.each(['', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', '::/129', 'example.org', '10.0.0/8'])(
  'refuses %j',
  (network) => {
    expect(() => parseNetworks([network])).toThrow(expect.objectContaining({ kind: 'invalid' }));
  },
);
