import { formatMailbox, formatReversePath } from '@posthorn/smtp/address/mailbox';
import { describe, expect, it } from 'vitest';

describe('formatMailbox', () => {
  it('ADR-3 writes no control character, wherever it stands', () => {
    for (const bad of ['a\r\nb', 'a\0', '\x1b[2J', 'a\x7f', 'a\x85', '\ud800']) {
      expect(() => formatMailbox({ localPart: bad, domain: 'd' })).toThrow(RangeError);
      expect(() => formatMailbox({ localPart: 'a', domain: bad })).toThrow(RangeError);
    }
  });

  it('ADR-16 writes a bare Postmaster without an at sign', () => {
    expect(formatMailbox({ localPart: 'Postmaster', domain: '' })).toBe('Postmaster');
  });

  it('ADR-14 writes the null reverse-path as empty brackets', () => {
    expect(formatReversePath(null)).toBe('<>');
    expect(formatReversePath({ localPart: 'a', domain: 'd' })).toBe('<a@d>');
  });
});
