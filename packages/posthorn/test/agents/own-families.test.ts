import type { NetworkInterfaceInfo } from 'node:os';
import { expect, it } from 'vitest';
import { ownFamilies } from '../../src/agents/own-families.ts';

function info(address: string, internal = false): NetworkInterfaceInfo {
  const common = { address, netmask: '', mac: '', internal, cidr: null };
  return address.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' };
}

it('CLI-MX-9 knows by its interfaces which families of addresses a host can reach', () => {
  const lo = [info('127.0.0.1', true), info('::1', true)];
  expect(ownFamilies({ lo, eth0: [info('192.0.2.1'), info('fe80::1')] })).toEqual([4]);
  expect(ownFamilies({ lo, eth0: [info('2001:db8::1')], eth1: undefined })).toEqual([6]);
  expect(ownFamilies({ lo, eth0: [info('192.0.2.1')], eth1: [info('2001:db8::1')] })).toEqual([6, 4]);
  expect(ownFamilies({ lo })).toEqual([6, 4]);
});
