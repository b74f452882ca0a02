import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { completeHeader, type SubmissionRules } from '@posthorn/smtp/message/submission-header';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const plainRules: SubmissionRules = {
  now: Date.UTC(2026, 10, 21, 10),
  offsetMinutes: 0,
  messageId: '<made@mx.example.org>',
};
const good = [
  'From: Ann <ann@example.org>',
  'To: bob@example.net',
  'Date: Sat, 21 Nov 2026 09:00:00 +0000',
  'Message-ID: <1@example.org>',
];

/** The completed header as lines, or the kind of its fault. */
function complete(lines: readonly string[], rules: Partial<SubmissionRules> = {}): readonly string[] | string {
  const done = completeHeader(Buffer.from(lines.map((line) => `${line}\r\n`).join('')), { ...plainRules, ...rules });
  return 'kind' in done ? `${done.kind}: ${done.text}` : done.header.toString().split('\r\n').slice(0, -1);
}

const mailbox = (text: string) => {
  const read = parseMailbox(text);
  if (read === undefined) throw new Error(text);
  return read;
};

describe('the header of a submission', () => {
  it('SUB-7 SUB-8 stays as it is, octet by octet, when it is right', () => {
    const lines = [
      ...good,
      'Subject:  two  blanks',
      'X-Odd:\tfolded',
      '\t  here',
      'Cc: (nobody) "a  b" <c@example.org>',
    ];
    expect(complete(lines)).toEqual(lines);
  });

  it.each([
    'From: x@example.org',
    'Date: Sat, 21 Nov 2026 09:00:00 +0000',
    'To: x@example.org',
    'Message-ID: <2@x.test>',
  ])('SUB-8 has %s once', (line) => {
    expect(complete([...good, line])).toMatch(/^syntax: .* stands twice$/);
  });

  it.each(['Sender', 'Reply-To', 'Cc', 'Bcc', 'In-Reply-To', 'References', 'Subject'])(
    'SUB-8 has the field %s at most once',
    (name) => {
      const line = `${name}: ann@example.org`;
      expect(complete([...good, line])).toHaveLength(name === 'Bcc' ? 4 : 5);
      expect(complete([...good, line, line.toUpperCase()])).toMatch(/^syntax: .* stands twice$/);
    },
  );

  it('SUB-8 needs From with an address, and Sender beside several of them', () => {
    expect(complete(good.slice(1))).toBe('syntax: The field From is missing');
    expect(complete(['From: undisclosed:;', ...good.slice(1)])).toBe('syntax: The field From has no address');
    const two = ['From: ann@example.org, bob@example.org', ...good.slice(1)];
    expect(complete(two)).toMatch(/^syntax: .*Sender is missing$/);
    expect(complete([...two, 'Sender: ann@example.org'])).toEqual([...two, 'Sender: ann@example.org']);
    expect(complete([...two, 'Sender: ann@example.org, bob@example.org'])).toMatch(/^syntax: /);
  });

  it('SUB-10 has no malformed address and no line that is no field', () => {
    expect(complete(['From: ann@', ...good.slice(1)])).toBe('syntax: The field From has a bad address');
    expect(complete([...good, 'Cc: <bob@example.org'])).toBe('syntax: The field Cc has a bad address');
    expect(complete([...good, 'what is this'])).toBe('syntax: A line of the header is no field');
    expect(complete([...good, 'Resent-To: <bob@example.org'])).toEqual([...good, 'Resent-To: <bob@example.org']);
  });

  it('SUB-7 gets Message-ID and Date when they are missing, and never MIME-Version', () => {
    expect(complete(good.slice(0, 2))).toEqual([
      ...good.slice(0, 2),
      'Date: Sat, 21 Nov 2026 10:00:00 +0000',
      'Message-ID: <made@mx.example.org>',
    ]);
    expect(complete([...good, 'Content-Type: text/plain; charset=utf-8'])).toHaveLength(5);
  });

  it('SUB-7 gets lines of its own behind a header whose last line has no end', () => {
    const done = completeHeader(Buffer.from('From: ann@example.org'), plainRules);
    expect('header' in done && done.header.toString()).toBe(
      'From: ann@example.org\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <made@mx.example.org>\r\n',
    );
  });

  it.each(['none', '<a b@example.org>', '<ab>', '<a@b@c>', '<a@>', '<a@b> <c@d>', ''])(
    'SUB-7 gets another Message-ID for %j',
    (id) => {
      expect(complete([...good.slice(0, 3), `Message-ID: ${id}`])).toEqual([
        ...good.slice(0, 3),
        'Message-ID: <made@mx.example.org>',
      ]);
    },
  );

  it.each(['<a.b+c@example.org>', '<"a@b"@example.org>', '<x@[192.0.2.1]>', '(c) <a@b> (d)', '<1$2@host>'])(
    'SUB-7 keeps the Message-ID %s',
    (id) => {
      const lines = [...good.slice(0, 3), `Message-ID: ${id}`];
      expect(complete(lines)).toEqual(lines);
    },
  );

  it('SUB-7 gets another Date for one that is none', () => {
    expect(complete([...good.slice(0, 2), 'Date: yesterday', good[3] as string])[2]).toBe(
      'Date: Sat, 21 Nov 2026 10:00:00 +0000',
    );
  });

  it('SUB-7 loses Bcc and Return-Path, those of an earlier sending too', () => {
    const lines = [
      'Return-Path: <x@y.test>',
      ...good,
      'Bcc: eve@example.org,',
      ' carol@example.org',
      'Resent-Bcc: d@x.test',
    ];
    expect(complete(lines)).toEqual(good);
  });

  it('SUB-7 tells by Sender who the submitter is when From does not', () => {
    const submitter = mailbox('carl@example.org');
    expect(complete(good, { submitter })).toEqual([...good, 'Sender: carl@example.org']);
    expect(complete([...good, 'Sender: eve@example.org'], { submitter })).toEqual([
      ...good,
      'Sender: carl@example.org',
    ]);
    expect(complete([...good, 'Sender: Carl <CARL@example.org>'], { submitter })).toHaveLength(5);
    expect(complete(good, { submitter: mailbox('Ann@EXAMPLE.org') })).toEqual(good);
  });

  it('SUB-5 SUB-6 is refused when the submitter may not write as From or Sender', () => {
    const owns = ({ localPart }: { localPart: string }) => localPart === 'ann';
    expect(complete(good, { owns })).toEqual(good);
    expect(complete([...good, 'Sender: eve@example.org'], { owns })).toMatch(/^rights: .*Sender$/);
    expect(complete(['From: eve@example.org', ...good.slice(1)], { owns })).toMatch(/^rights: .*From$/);
  });

  it('SUB-4 is refused for a domain of a single label, unless that is ours or a rule completes it', () => {
    const lines = ['From: Ann <ann@sales>', 'To: bob (the boss), "x, y" <c@localhost> , d@e.example', ...good.slice(2)];
    expect(complete(lines)).toBe('domain: The field From has an incomplete domain');
    const isOurs = (label: string) => label === 'localhost';
    expect(complete(lines, { isOurs, completeDomain: 'example.net' })).toEqual([
      'From: Ann <ann@sales.example.net>',
      'To: bob@example.net (the boss), "x, y" <c@localhost> , d@e.example',
      ...good.slice(2),
    ]);
  });

  it('SUB-4 tells its domains', () => {
    const done = completeHeader(
      Buffer.from('From: a@Example.ORG\r\nTo: g: b@one.test, c@[192.0.2.1];\r\nResent-To: d@two.test\r\n'),
      plainRules,
    );
    expect('domains' in done && [...done.domains]).toEqual(['example.org', 'one.test', '[192.0.2.1]', 'two.test']);
  });

  it('SUB-7 is complete once it was completed, and no octets make the check throw', () => {
    const line = fc.oneof(
      fc.constantFrom(
        ...good,
        'Sender: a@b',
        'Bcc: x@y.test',
        'Date: no',
        'Message-ID: <<',
        'To: bob',
        'To: g: x@y, z;',
        ' more',
      ),
      fc.string({ unit: 'binary', maxLength: 40 }).map((text) => `To: ${text}`),
      fc.string({ unit: 'binary', maxLength: 40 }),
    );
    const options = fc.record(
      { completeDomain: fc.constant('example.net'), submitter: fc.constant(mailbox('s@example.net')) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), options, (lines, change) => {
        const rules = { ...plainRules, ...change };
        const once = completeHeader(Buffer.from([...good, ...lines].join('\r\n')), rules);
        const alone = completeHeader(Buffer.from(lines.join('\r\n')), rules);
        for (const done of [once, alone]) {
          if ('kind' in done) continue;
          const again = completeHeader(done.header, rules);
          expect('header' in again && again.header.equals(done.header)).toBe(true);
        }
      }),
    );
  });
});
