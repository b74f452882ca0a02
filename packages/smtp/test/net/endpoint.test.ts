import { PassThrough } from 'node:stream';
import { endpointOf, localEndpoint, plainAddress } from '@posthorn/smtp/net/endpoint';
import { expect, it } from 'vitest';

it('writes addresses as those that read them expect: IPv4 as IPv4, IPv6 without zone', () => {
  expect(plainAddress('::ffff:192.0.2.1')).toBe('192.0.2.1');
  expect(plainAddress('::FFFF:192.0.2.1')).toBe('192.0.2.1');
  expect(plainAddress('fe80::1%eth0')).toBe('fe80::1');
  expect(plainAddress('2001:db8::ffff:1')).toBe('2001:db8::ffff:1');
});

it('takes a stream without addresses for a local one', () => {
  expect(endpointOf(new PassThrough())).toBe(localEndpoint);
});
