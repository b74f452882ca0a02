import { Admission } from '@posthorn/smtp/net/admission';
import { expect, it } from 'vitest';

function enter(admission: Admission, address: string, times: number): string[] {
  return Array.from({ length: times }, () => admission.enter(address));
}

it('GEN-24 admits up to the limit of an address, tells some more that it is too many, and drops the rest', () => {
  const admission = new Admission({ connections: 100, connectionsPerAddress: 2 });
  expect(enter(admission, '192.0.2.1', 7)).toEqual(['admit', 'admit', 'refuse', 'refuse', 'refuse', 'drop', 'drop']);
  expect(admission.enter('192.0.2.2')).toBe('admit');
  for (let count = 0; count < 6; count += 1) admission.leave('192.0.2.1');
  expect(admission.enter('192.0.2.1')).toBe('admit');
});

it('GEN-24 SEC-RES-1 counts all addresses together, too', () => {
  const admission = new Admission({ connections: 10, connectionsPerAddress: 10 });
  const verdicts = Array.from({ length: 14 }, (_, index) => admission.enter(`192.0.2.${index}`));
  expect(verdicts.slice(9)).toEqual(['admit', 'refuse', 'refuse', 'drop', 'drop']);
});

it('SEC-RES-1 takes one IPv6 network of 64 bits for one client', () => {
  const admission = new Admission({ connections: 100, connectionsPerAddress: 1 });
  expect(admission.enter('2001:db8:1:2::1')).toBe('admit');
  expect(admission.enter('2001:db8:1:2:ffff:ffff:ffff:ffff')).toBe('refuse');
  expect(admission.enter('2001:db8:1:3::1')).toBe('admit');
  expect(admission.enter('::1')).toBe('admit');
  expect(admission.enter('::2')).toBe('refuse');
});

it('sets no limit of its own to local streams', () => {
  const admission = new Admission({ connections: 100, connectionsPerAddress: 1 });
  expect(enter(admission, 'local', 3)).toEqual(['admit', 'admit', 'admit']);
});
