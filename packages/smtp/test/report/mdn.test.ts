import type { Mailbox } from '@posthorn/smtp/address/mailbox';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { fieldValue, splitMessage } from '@posthorn/smtp/message/header';
import { composeMdn, type MdnFacts } from '@posthorn/smtp/report/compose-mdn';
import { mdnRequesters, whyNoMdn } from '@posthorn/smtp/report/mdn-rules';
import { parseDsn } from '@posthorn/smtp/report/parse-dsn';
import { parseMdn } from '@posthorn/smtp/report/parse-mdn';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partsOf } from './facts.ts';

const mailbox = (text: string) => parseMailbox(text, { utf8: true }) as Mailbox;
const header =
  'Return-Path: <ann@example.org>\r\nFrom: ann@example.org\r\nMessage-ID: <1@example.org>\r\nSubject: hello\r\n' +
  'Disposition-Notification-To: Ann <ann@example.org>\r\n';

function facts(changes: Partial<MdnFacts> = {}): MdnFacts {
  let calls = 0;
  return {
    report: {
      reportingUa: 'desk.example.net; Reader 1.0',
      originalRecipient: 'rfc822;Bob+x@example.net',
      finalRecipient: 'bob@example.net',
      disposition: { action: 'manual-action', sending: 'MDN-sent-manually', type: 'displayed', modifiers: [] },
      errors: [],
    },
    from: { name: 'Bob', mailbox: mailbox('bob@example.net') },
    to: [{ mailbox: mailbox('ann@example.org') }],
    original: { header: Buffer.from(header) },
    now: Date.UTC(2026, 10, 3, 6, 0, 0),
    random: (octets) => Buffer.alloc(octets, ++calls),
    ...changes,
  };
}

const why = (text: string, more: { hasConsent?: boolean; wasSent?: boolean } = {}) =>
  whyNoMdn({ header: Buffer.from(text), hasConsent: false, wasSent: false, ...more });

describe('composeMdn', () => {
  it('LOC-MDN-1 is a multipart/report of an explanation, what was done and the header of the message', () => {
    const { content, smtputf8, body } = composeMdn(facts());
    const top = splitMessage(content).header;
    expect(fieldValue(top, 'content-type')).toMatch(
      /^multipart\/report; report-type=disposition-notification; boundary="[^"]+"$/,
    );
    expect(fieldValue(top, 'from')).toBe('Bob <bob@example.net>');
    expect(fieldValue(top, 'to')).toBe('ann@example.org');
    expect(fieldValue(top, 'in-reply-to')).toBe('<1@example.org>');
    expect(fieldValue(top, 'auto-submitted')).toBe('auto-replied');
    expect(fieldValue(top, 'disposition-notification-to')).toBeUndefined();
    const parts = partsOf(content);
    expect(parts.map(({ head }) => head)).toEqual([
      'Content-Type: text/plain; charset=us-ascii',
      'Content-Type: message/disposition-notification',
      'Content-Type: text/rfc822-headers',
    ]);
    expect(parts[1]?.body).toBe(
      [
        'Reporting-UA: desk.example.net; Reader 1.0',
        'Original-Recipient: rfc822;Bob+x@example.net',
        'Final-Recipient: rfc822; bob@example.net',
        'Original-Message-ID: <1@example.org>',
        'Disposition: manual-action/MDN-sent-manually; displayed',
        '',
      ].join('\r\n'),
    );
    expect([smtputf8, body]).toEqual([false, '7BIT']);
  });

  it('LOC-MDN-1 names the first recipient and the identifier only where the message has them', () => {
    const { originalRecipient: _, ...report } = facts().report;
    const { content } = composeMdn(facts({ report, original: { header: Buffer.from('Subject: x\r\n') } }));
    expect(partsOf(content)[1]?.body).not.toMatch(/Original-/);
  });

  it('LOC-MDN-1 EXT-UTF8-6 is message/global-disposition-notification towards a UTF-8 address, and escapes towards others', () => {
    const report = {
      ...facts().report,
      finalRecipient: 'jörg@bücher.example',
      originalRecipient: 'utf-8;jörg@bücher.example',
      errors: ['Schlüssel fehlt'],
    };
    const from = { mailbox: mailbox('jörg@bücher.example') };
    const native = composeMdn(facts({ report, from, to: [{ mailbox: mailbox('änn@example.org') }] }));
    expect(partsOf(native.content)[1]?.head).toBe(
      'Content-Type: message/global-disposition-notification\r\nContent-Transfer-Encoding: 8bit',
    );
    expect(native.smtputf8).toBe(true);
    expect(parseMdn(native.content)?.report).toMatchObject(report);
    const escaped = composeMdn(facts({ report }));
    expect(partsOf(escaped.content)[1]?.head).toBe('Content-Type: message/disposition-notification');
    expect(partsOf(escaped.content)[1]?.body).toContain('Final-Recipient: utf-8; j\\x{F6}rg@b\\x{FC}cher.example\r\n');
    expect(parseMdn(escaped.content)?.report.finalRecipient).toBe('jörg@bücher.example');
  });

  it('LOC-MDN-1 reads back every notification that is composed, and takes none for a delivery report', () => {
    const word = fc
      .string({ unit: fc.constantFrom(...'abc xyz09-;()'), minLength: 1, maxLength: 30 })
      .map((text) => text.trim());
    fc.assert(
      fc.property(fc.array(word.filter(Boolean), { maxLength: 3 }), fc.boolean(), (errors, isWhole) => {
        const report = { ...facts().report, errors };
        const body = Buffer.from('the body\r\n');
        const original = { header: Buffer.from(header), ...(isWhole ? { body } : {}) };
        const { content } = composeMdn(facts({ report, original }));
        const read = parseMdn(content);
        expect(read?.report).toEqual({ ...report, originalMessageId: '<1@example.org>' });
        expect(read?.original?.kind).toBe(isWhole ? 'message' : 'headers');
        expect(read?.original?.content.toString()).toContain('Subject: hello');
        expect(parseDsn(content)).toBeUndefined();
      }),
    );
  });

  it('reads no notification without a recipient or without what was done', () => {
    const { content } = composeMdn(facts());
    const without = (line: RegExp) => parseMdn(Buffer.from(content.toString().replace(line, 'X-Other: ')));
    expect(without(/^Final-Recipient: /m)).toBeUndefined();
    expect(without(/^Disposition: /m)).toBeUndefined();
    expect(parseMdn(Buffer.from('Subject: x\r\n\r\nDisposition: x\r\n'))).toBeUndefined();
  });
});

describe('whyNoMdn', () => {
  it('LOC-MDN-1 lets a plain request be answered, once', () => {
    expect(why(header)).toBeUndefined();
    expect(why(header, { wasSent: true, hasConsent: true })).toBe('already-sent');
    expect(mdnRequesters(Buffer.from(header))?.map(({ name }) => name)).toEqual(['Ann']);
  });

  it('LOC-MDN-1 never answers a notification, nor who did not ask', () => {
    const report = 'Content-Type: multipart/report; Report-Type="Disposition-Notification"; boundary=x\r\n';
    expect(why(header + report, { hasConsent: true })).toBe('notification');
    expect(why('Subject: x\r\n', { hasConsent: true })).toBe('not-asked');
    expect(why('Disposition-Notification-To: (\r\n', { hasConsent: true })).toBe('not-asked');
    expect(why(`${header}Disposition-Notification-To: eve@example.org\r\n`, { hasConsent: true })).toBe('not-asked');
  });

  it.each([
    ['another address', 'Return-Path: <ann@example.org>\r\nDisposition-Notification-To: eve@example.org\r\n'],
    [
      'another local-part by case',
      'Return-Path: <Ann@example.org>\r\nDisposition-Notification-To: ann@example.org\r\n',
    ],
    [
      'several addresses',
      'Return-Path: <ann@example.org>\r\nDisposition-Notification-To: ann@example.org, b@c.example\r\n',
    ],
    ['no return path', 'Disposition-Notification-To: ann@example.org\r\n'],
    ['the null path', 'Return-Path: <>\r\nDisposition-Notification-To: ann@example.org\r\n'],
    [
      'two return paths',
      'Return-Path: <ann@example.org>\r\nReturn-Path: <ann@example.org>\r\nDisposition-Notification-To: ann@example.org\r\n',
    ],
  ])('LOC-MDN-1 sends none by itself to %s', (_, text) => {
    expect(why(text)).toBe('consent-needed');
    expect(why(text, { hasConsent: true })).toBeUndefined();
  });

  it('LOC-MDN-1 compares addresses as they are meant', () => {
    expect(
      why('Return-Path: <"ann"@EXAMPLE.org>\r\nDisposition-Notification-To: Ann <ann@example.ORG>\r\n'),
    ).toBeUndefined();
  });

  it('LOC-MDN-1 sends none where an option is required that nobody knows', () => {
    const option = (importance: string) =>
      `${header}Disposition-Notification-Options: a=${importance},1; b=optional,2\r\n`;
    expect(why(option('required'), { hasConsent: true })).toBe('unknown-option');
    expect(why(option(' Required '), { hasConsent: true })).toBe('unknown-option');
    expect(why(option('optional'))).toBeUndefined();
  });
});
