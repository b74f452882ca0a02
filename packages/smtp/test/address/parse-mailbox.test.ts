import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mailbox } from '../arbitraries.ts';

function expectRefused(...texts: string[]): void {
  for (const text of texts) {
    expect(parseMailbox(text), text).toBeUndefined();
    expect(parseMailbox(text, { utf8: true }), text).toBeUndefined();
  }
}

describe('parseMailbox', () => {
  it('ADR-2 takes atoms joined by single dots, and refuses a leading, trailing or doubled dot', () => {
    expect(parseMailbox("a!#$%&'*+-/=?^_`{|}~.b1@d.example")).toEqual({
      localPart: "a!#$%&'*+-/=?^_`{|}~.b1",
      domain: 'd.example',
    });
    expectRefused('.a@d.example', 'a.@d.example', 'a..b@d.example', '.@d.example', 'a b@d.example', 'a,b@d.example');
    expectRefused('@d.example', 'a', 'a@', 'a(b)@d.example', 'a<b@d.example', 'a:b@d.example', 'a"b"@d.example');
  });

  it('ADR-3 takes quoted local-parts with escapes and blanks, and refuses control characters in them', () => {
    expect(parseMailbox('"Joe\\,Smith"@x')).toEqual({ localPart: 'Joe,Smith', domain: 'x' });
    expect(parseMailbox('" "@x')).toEqual({ localPart: ' ', domain: 'x' });
    expect(parseMailbox('"a@b>c"@x')).toEqual({ localPart: 'a@b>c', domain: 'x' });
    expect(parseMailbox('"a\\"b\\\\c"@x')).toEqual({ localPart: 'a"b\\c', domain: 'x' });
    expectRefused('"a\tb"@x', '"a\rb"@x', '"a\n"@x', '"a\0b"@x', '"a\x7fb"@x', '"a\\\nb"@x', '"a\x85b"@x');
    expectRefused('"a@x', '"a\\"@x', 'a"@x', '"a"b@x', '"a" @x', '"a".b@x', 'a."b"@x');
  });

  it('ADR-4 takes an empty quoted local-part', () => {
    expect(parseMailbox('""@x.example')).toEqual({ localPart: '', domain: 'x.example' });
  });

  it('ADR-5 reads every spelling of a local-part as one, and writes the least quoting', () => {
    for (const text of ['user@d', '"user"@d', '"us\\er"@d', '"\\u\\s\\e\\r"@d']) {
      expect(parseMailbox(text)).toEqual({ localPart: 'user', domain: 'd' });
    }
    expect(formatMailbox({ localPart: 'user', domain: 'd' })).toBe('user@d');
    expect(formatMailbox({ localPart: 'us er', domain: 'd' })).toBe('"us er"@d');
    expect(formatMailbox({ localPart: 'u"s\\er', domain: 'd' })).toBe('"u\\"s\\\\er"@d');
    expect(formatMailbox({ localPart: '.user', domain: 'd' })).toBe('".user"@d');
  });

  it('ADR-5 GEN-8 gives back every mailbox it wrote, with the case of its local-part', () => {
    fc.assert(
      fc.property(mailbox(), (given) => {
        expect(parseMailbox(formatMailbox(given))).toEqual(given);
      }),
    );
    fc.assert(
      fc.property(mailbox(true), (given) => {
        expect(parseMailbox(formatMailbox(given), { utf8: true })).toEqual(given);
      }),
    );
    expect(parseMailbox('Smith@d')).not.toEqual(parseMailbox('smith@d'));
  });

  it('ADR-7 ADR-8 takes literals of IPv4 and IPv6 as domains, an IPv6 address only with its tag', () => {
    for (const domain of ['[192.0.2.1]', '[IPv6:2001:db8::1]', '[ipv6:::ffff:192.0.2.1]']) {
      expect(parseMailbox(`u@${domain}`)).toEqual({ localPart: 'u', domain });
    }
    expectRefused('u@[2001:db8::1]', 'u@[192.0.2]', 'u@[192.0.2.256]', 'u@192.0.2.1]', 'u@[192.0.2.1', 'u@[]');
  });

  it('ADR-9 reads other tagged literals, so that they can be refused as unroutable', () => {
    expect(parseMailbox('u@[X400:c=de/a=x]')).toEqual({ localPart: 'u', domain: '[X400:c=de/a=x]' });
  });

  it('ADR-10 gives percent and bang no meaning, and takes no numeric host', () => {
    expect(parseMailbox('user%other@mine.example')).toEqual({ localPart: 'user%other', domain: 'mine.example' });
    expect(parseMailbox('b!c!user@mine.example')).toEqual({ localPart: 'b!c!user', domain: 'mine.example' });
    expectRefused('user@#123456');
  });

  it('ADR-11 takes local-parts of 64 octets and paths of 256, and refuses longer ones', () => {
    const longest = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.d`;
    expect(parseMailbox(`${'u'.repeat(64)}@${longest}`)?.localPart).toHaveLength(64);
    expect(parseMailbox(`"${'" '.repeat(32).replaceAll('"', '\\"')}"@d`)?.localPart).toHaveLength(64);
    expect(parseMailbox(`${'u'.repeat(64)}@${longest}${'d'.repeat(254 - 65 - longest.length)}`)).toBeDefined();
    expect(parseMailbox(`${'é'.repeat(32)}@d`, { utf8: true })).toBeDefined();
    expectRefused(`${'u'.repeat(65)}@d`, `${'é'.repeat(33)}@d`, `"${'u'.repeat(65)}"@d`);
    expectRefused(`${'u'.repeat(64)}@${longest}${'d'.repeat(255 - 65 - longest.length)}`);
  });

  it('ADR-21 completes no short name', () => {
    const short = parseMailbox('user@host');
    expect(short).toEqual({ localPart: 'user', domain: 'host' });
    expect(short && formatMailbox(short)).toBe('user@host');
  });

  it.each([
    'a@b@c',
    'a@b.example@c.example',
    'a\r@b',
    'a@b\r\nRCPT TO:<c@d>',
    'a\0@b',
    'a@b\0',
    'a(comment)@b',
    'a@b(comment)',
    'a@(c)b',
    '=?utf-8?q?=41=00@b?=@c d',
    ' a@b',
    'a@b ',
    'A <a@b>',
    '<a@b>',
    'a@b,c@d',
    'group:a@b;',
    'a@b.',
    'a@[b',
    'a@"b"',
  ])('ADR-22 refuses %j, whose readers could disagree', (text) => expectRefused(text));

  it('EXT-UTF8-1 takes letters outside of ASCII only where they are permitted, controls and halves of pairs nowhere', () => {
    for (const text of ['Pelé@example.org', 'δοκιμή@παράδειγμα.δοκιμή', '测试@测试.测试', '"δ δ"@d', '😀@d']) {
      expect(parseMailbox(text), text).toBeUndefined();
      const read = parseMailbox(text, { utf8: true });
      expect(read && formatMailbox(read)).toBe(text);
    }
    expectRefused('a\x80@d', '\ud800@d', '"\udc00"@d', '"\\é"@d', 'a@d\x85e');
  });

  it('ends on hostile input, however long', () => {
    const long = 100_000;
    expectRefused(
      'a'.repeat(long),
      'a.'.repeat(long),
      `"${'\\"'.repeat(long)}`,
      `"${'\\a'.repeat(long)}"@`,
      `a@${'a-'.repeat(long)}`,
      `a@${'a.'.repeat(long)}`,
      `a@${'é'.repeat(long)}`,
      `a@[${'x:'.repeat(long)}]`,
      `a@[IPv6:${':'.repeat(long)}]`,
      `${'a@'.repeat(long)}`,
      `${'é.'.repeat(long)}@`,
    );
  });
});
