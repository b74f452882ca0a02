import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { formatVerp, parseVerp } from '@posthorn/smtp/address/verp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mailbox } from '../arbitraries.ts';

describe('a reverse-path for one recipient', () => {
  it.each([
    ['owner-news@example.org', 'ann@far.example', 'owner-news+ann=far.example@example.org'],
    ['owner-news@example.org', 'ann+tag=x@far.example', 'owner-news+ann+tag=x=far.example@example.org'],
  ])('LOC-LS-1 of %s names %s', (owner, recipient, address) => {
    expect(formatVerp(owner, recipient)).toBe(address);
    expect(parseVerp(address)).toBe(recipient);
  });

  it.each([`${'a'.repeat(50)}@far.example`, '"a b"@far.example', 'ann@[192.0.2.1]', 'nobody'])(
    'LOC-LS-1 is that of the owner for %s, who does not fit into it',
    (recipient) => {
      expect(formatVerp('owner-news@example.org', recipient)).toBe('owner-news@example.org');
    },
  );

  it.each(['owner-news@example.org', '+a=b@example.org', 'a=b+c@example.org', 'a+b=@example.org', 'nobody'])(
    '%s names nobody',
    (address) => expect(parseVerp(address)).toBeUndefined(),
  );

  it('LOC-LS-1 is a valid address that names its recipient, or that of the owner', () => {
    fc.assert(
      fc.property(mailbox(true), (to) => {
        const recipient = formatMailbox(to);
        const address = formatVerp('owner-l@example.org', recipient);
        expect(parseMailbox(address, { utf8: true })).toBeDefined();
        if (address !== 'owner-l@example.org') expect(parseVerp(address)).toBe(recipient);
      }),
    );
  });
});
