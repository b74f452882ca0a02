import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { type HeaderAddress, mailboxesOf, parseAddressList } from '@posthorn/smtp/message/address-list';
import { formatAddressField } from '@posthorn/smtp/message/format-address-list';
import { fieldValue } from '@posthorn/smtp/message/header';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const ann = { mailbox: { localPart: 'ann', domain: 'x' } };

describe('parseAddressList', () => {
  it.each<[string, HeaderAddress[]]>([
    ['ann@x', [ann]],
    ['Ann <ann@x>', [{ name: 'Ann', ...ann }]],
    ['"Ann \\"B\\" <c@d>, e" <ann@x>', [{ name: 'Ann "B" <c@d>, e', ...ann }]],
    ['John Q. Public <ann@x>', [{ name: 'John Q. Public', ...ann }]],
    ['Jürg <ann@x>', [{ name: 'Jürg', ...ann }]],
    ['(c (d) \\) ) ann (x) @ (y) x (z)', [ann]],
    [' , ann@x , , <ann@x>,', [ann, ann]],
    ['<@a.example,@b.example:ann@x>', [ann]],
    ['Group: ann@x, A <ann@x>;', [{ name: 'Group', members: [ann, { name: 'A', ...ann }] }]],
    ['Undisclosed recipients:;', [{ name: 'Undisclosed recipients', members: [] }]],
    ['"G; x": ann@x,;, ann@x', [{ name: 'G; x', members: [ann] }, ann]],
    ['"a b"@[IPv6:::1]', [{ mailbox: { localPart: 'a b', domain: '[IPv6:::1]' } }]],
    ['ü@例.example', [{ mailbox: { localPart: 'ü', domain: '例.example' } }]],
    ['', []],
  ])('ADR-22 reads %j', (text, list) => {
    expect(parseAddressList(text)).toEqual(list);
  });

  it.each([
    'ann',
    'ann@',
    'ann smith@x',
    'a@b@x',
    'ann@x bob@x',
    'Ann <ann@x',
    'Ann ann@x>',
    'Ann <ann@x> bob',
    '"open <ann@x>',
    '(open ann@x',
    'G: ann@x',
    'G: H: ann@x;;',
    ': ann@x;',
    'ann@x;',
    'a\0b@x',
    'Ann\r\nBcc: b@x <ann@x>',
    '"a\nb" <ann@x>',
    '[x] <ann@x>',
    '=?utf-8?q?a=40b?=@evil@x',
    '<a@b><c@d>',
  ])('ADR-22 refuses %j', (text) => {
    expect(parseAddressList(text)).toBeUndefined();
  });

  it('ADR-22 reads each address as the parser of the envelope does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', '.', '@', '"', '\\', ' ', 'x', '[1.2.3.4]', '<', '>', '\0', '(', ')')),
        (pieces) => {
          const text = pieces.join('');
          const mailbox = parseMailbox(text, { utf8: true });
          const list = parseAddressList(text);
          // Comments and blanks around are the header's alone.
          if (mailbox !== undefined) expect(list).toEqual([{ mailbox }]);
          if (list?.length === 1 && !/[ ()<>]/.test(text)) expect(mailbox).toBeDefined();
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('gives back what it wrote', () => {
    const name = fc.stringMatching(/^[ -~]{1,30}$/).filter((text) => text.trim() === text && !text.includes('=?'));
    const mailbox = fc.constantFrom(
      { localPart: 'ann', domain: 'x.example' },
      { localPart: 'a b"\\', domain: '[192.0.2.1]' },
    );
    const one = fc.oneof(
      mailbox.map((each) => ({ mailbox: each })),
      fc.record({ name, mailbox }),
    );
    const entry = fc.oneof(one, fc.record({ name, members: fc.array(one, { maxLength: 3 }) }));
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 6 }), (list) => {
        const { text } = formatAddressField('To', list);
        expect(parseAddressList(fieldValue(Buffer.from(text), 'to') as string)).toEqual(list);
      }),
    );
  });

  it('takes time in proportion to the text', () => {
    for (const piece of ['(', '"', '<', '@', ',', ':', 'a,', '\\', 'a@x,', '.', '[']) {
      expect(() => parseAddressList(piece.repeat(200_000))).not.toThrow();
    }
  });

  it('finds the mailboxes of groups', () => {
    expect(mailboxesOf(parseAddressList('G: ann@x, ann@x;, ann@x') ?? [])).toEqual([ann, ann, ann]);
  });
});
