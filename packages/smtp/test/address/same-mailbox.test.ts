import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { sameMailbox } from '@posthorn/smtp/address/same-mailbox';
import { describe, expect, it } from 'vitest';

function compare(one: string, other: string, rules?: Parameters<typeof sameMailbox>[2]): boolean {
  const [a, b] = [one, other].map((text) => parseMailbox(text, { utf8: true }));
  if (a === undefined || b === undefined) throw new Error(`bad example: ${one} ${other}`);
  return sameMailbox(a, b, rules);
}

describe('sameMailbox', () => {
  it('ADR-5 sees through quoting', () => {
    expect(compare('"user"@d', 'user@d')).toBe(true);
    expect(compare('"us\\er"@d', 'user@d')).toBe(true);
    expect(compare('"us er"@d', 'user@d')).toBe(false);
  });

  it('GEN-8 tells local-parts by their case unless it is told otherwise, domains never', () => {
    expect(compare('User@D.example', 'User@d.EXAMPLE')).toBe(true);
    expect(compare('User@d', 'user@d')).toBe(false);
    expect(compare('User@d', 'user@d', { caseSensitive: false })).toBe(true);
    expect(compare('u@d', 'u@e', { caseSensitive: false })).toBe(false);
  });

  it('EXT-UTF8-5 compares composed letters, and U-labels with A-labels', () => {
    expect(compare('Pele\u0301@d', 'Pel\u00e9@d')).toBe(true);
    expect(compare('PEL\u00c9@d', 'pele\u0301@d', { caseSensitive: false })).toBe(true);
    expect(compare('u@MÜNCHEN.example', 'u@xn--mnchen-3ya.example')).toBe(true);
    expect(compare('u@münchen.example', 'u@munchen.example')).toBe(false);
  });

  it('ADR-7 ADR-8 ADR-9 compares literals by their address, unknown ones by their letters', () => {
    expect(compare('u@[192.0.2.1]', 'u@[192.000.2.01]')).toBe(true);
    expect(compare('u@[ipv6:2001:DB8::1]', 'u@[IPv6:2001:db8::1]')).toBe(true);
    expect(compare('u@[x:Y]', 'u@[X:y]')).toBe(true);
    expect(compare('u@[x:y]', 'u@[x:z]')).toBe(false);
  });
});
