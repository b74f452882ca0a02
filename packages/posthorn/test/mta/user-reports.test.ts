import { randomBytes } from 'node:crypto';
import type { Mailbox } from '@posthorn/smtp/address/mailbox';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { downgradeMessage } from '@posthorn/smtp/message/downgrade-message';
import { fieldValue, splitMessage } from '@posthorn/smtp/message/header';
import { composeFeedbackReport } from '@posthorn/smtp/report/compose-feedback-report';
import { composeMdn } from '@posthorn/smtp/report/compose-mdn';
import { mdnRequesters, whyNoMdn } from '@posthorn/smtp/report/mdn-rules';
import { parseDsn } from '@posthorn/smtp/report/parse-dsn';
import { parseFeedbackReport } from '@posthorn/smtp/report/parse-feedback-report';
import { parseMdn } from '@posthorn/smtp/report/parse-mdn';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { mailIn, sendMail, startTestAgent } from './fixture.ts';
import { startNextHop } from './next-hop.ts';

const mailbox = (text: string) => parseMailbox(text, { utf8: true }) as Mailbox;
const latin1 = (text: string) => Buffer.from(text).toString('latin1');
const octets = (text: string | undefined) => Buffer.from(text ?? '', 'latin1');
const chance = { now: Date.UTC(2026, 10, 3), random: randomBytes };
const letter =
  'From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nMessage-ID: <1@example.org>\r\nSubject: hello\r\n' +
  'Disposition-Notification-To: ann@example.org\r\n\r\nHi\r\n';

describe('reports of users that pass through the agent', () => {
  it('LOC-MDN-1 LOC-MDN-2 a disposition notification says what became of a mail, from what its mailbox keeps', async () => {
    await using test = await startTestAgent();
    await sendMail(test.port, {
      from: '<ann@example.org>',
      to: ['<bob@example.org> ORCPT=rfc822;Old+2BBob@example.org'],
      text: letter,
    });
    const [kept] = await mailIn(test, 'bob', 1);
    const { header } = splitMessage(octets(kept));
    expect(whyNoMdn({ header, hasConsent: false, wasSent: false })).toBeUndefined();
    const to = mdnRequesters(header) ?? [];
    const { content } = composeMdn({
      report: {
        originalRecipient: fieldValue(header, 'original-recipient')?.replace('; ', ';') ?? '',
        finalRecipient: 'bob@example.org',
        disposition: { action: 'manual-action', sending: 'MDN-sent-manually', type: 'displayed', modifiers: [] },
        errors: [],
      },
      from: { mailbox: mailbox('bob@example.org') },
      to,
      original: { header },
      ...chance,
    });
    await sendMail(test.port, {
      from: '<>',
      to: to.map((each) => `<${each.mailbox.localPart}@${each.mailbox.domain}>`),
      text: content.toString('latin1'),
    });
    const [mdn] = await mailIn(test, 'ann', 1);
    expect(mdn).toMatch(/^Return-Path: <>\n/);
    expect(parseMdn(octets(mdn))?.report).toEqual({
      originalRecipient: 'rfc822;Old+Bob@example.org',
      finalRecipient: 'bob@example.org',
      originalMessageId: '<1@example.org>',
      disposition: { action: 'manual-action', sending: 'MDN-sent-manually', type: 'displayed', modifiers: [] },
      errors: [],
    });
    // No notification of a notification.
    const arrived = splitMessage(octets(mdn)).header;
    expect(whyNoMdn({ header: arrived, hasConsent: true, wasSent: false })).toBe('not-asked');
  });

  it('SEC-ARF-1 a complaint brings back the mail that it is about', async () => {
    await using test = await startTestAgent();
    await sendMail(test.port, { from: '<spam@far.example>', to: ['<bob@example.org>'], text: letter });
    const [kept] = await mailIn(test, 'bob', 1);
    const original = splitMessage(Buffer.from(octets(kept).toString('latin1').replaceAll('\n', '\r\n'), 'latin1'));
    const { content } = composeFeedbackReport({
      report: {
        feedbackType: 'abuse',
        userAgent: 'Posthorn/0.1',
        originalMailFrom: 'spam@far.example',
        sourceIp: '127.0.0.1',
        authenticationResults: [],
        originalRcptTo: ['bob@example.org'],
        reportedDomains: ['far.example'],
        reportedUris: [],
        extensions: [],
      },
      from: { mailbox: mailbox('bob@example.org') },
      to: [{ mailbox: mailbox('abuse@example.org') }],
      original,
      ...chance,
    });
    const text = content.toString('latin1');
    await sendMail(test.port, { from: '<bob@example.org>', to: ['<abuse@example.org>'], text });
    const [complaint] = await mailIn(test, 'abuse', 1);
    const read = parseFeedbackReport(octets(complaint));
    expect(read?.report).toMatchObject({
      feedbackType: 'abuse',
      originalMailFrom: 'spam@far.example',
      sourceIp: '127.0.0.1',
    });
    expect(read?.original.content.toString()).toContain('Message-ID: <1@example.org>');
    expect(fieldValue(splitMessage(octets(complaint)).header, 'subject')).toBe('FW: hello');
  });
});

describe('reports about mail with addresses and headers in UTF-8', () => {
  /** What comes back to a sender of mail for a host without SMTPUTF8. */
  async function bounceFor(sender: string) {
    await using hop = await startNextHop({ offers: ['8BITMIME'] });
    await using test = await startTestAgent(() => ({
      relayFrom: ['127.0.0.0/8'],
      routes: [{ domain: '*', to: hop.to }],
    }));
    await sendMail(test.port, {
      from: latin1(`<${sender}@example.org> SMTPUTF8 RET=HDRS`),
      to: [latin1('<jörg@bücher.example> ORCPT=utf-8;j\\x{F6}rg@b\\x{FC}cher.example')],
      text: latin1(`Subject: Grüße\r\nFrom: ${sender}@example.org\r\n\r\nHi\r\n`),
    });
    const [report] = await mailIn(test, sender, 1);
    expect(hop.taken).toEqual([]);
    return octets(report);
  }

  it('DSN-19 EXT-UTF8-6 EXT-UTF8-3 spell addresses and header out towards a sender whose address is UTF-8', async () => {
    const report = await bounceFor('änn');
    const text = report.toString();
    expect(text).toContain('\nContent-Type: message/global-delivery-status\n');
    expect(text).toContain('\nContent-Type: message/global-headers\n');
    expect(text).toContain('\nFinal-Recipient: utf-8; jörg@bücher.example\n');
    expect(text).toContain('\nOriginal-Recipient: utf-8;jörg@bücher.example\n');
    expect(text).toContain('\nSubject: Grüße\n');
    expect(parseDsn(report)?.report.recipients).toMatchObject([
      { finalRecipient: 'jörg@bücher.example', action: 'failed', status: '5.6.7' },
    ]);
    // What a reader without UTF-8 is shown of it.
    const shown = downgradeMessage(report);
    expect(shown.toString()).toContain('\nContent-Type: message/delivery-status\n');
    expect(shown.toString()).toContain('Final-Recipient: utf-8; j\\x{F6}rg@b\\x{FC}cher.example\n');
    expect(text).not.toContain('written to as');
    expect(shown.includes('\r\n')).toBe(false);
  });

  it('DSN-19 EXT-UTF8-6 EXT-UTF8-12 escape addresses and encode the header towards a sender whose address is ASCII', async () => {
    const report = await bounceFor('ann');
    expect(report.every((octet) => octet < 128)).toBe(true);
    const text = report.toString();
    expect(text).toContain('\nContent-Type: message/delivery-status\n');
    expect(text).toContain('\nFinal-Recipient: utf-8; j\\x{F6}rg@b\\x{FC}cher.example\n');
    expect(text).toContain('\nOriginal-Recipient: utf-8;j\\x{F6}rg@b\\x{FC}cher.example\n');
    expect(text).toMatch(
      /\nContent-Type: message\/global-headers\nContent-Transfer-Encoding: (?:quoted-printable|base64)\n/,
    );
    const read = parseDsn(report);
    expect(read?.report.recipients[0]?.finalRecipient).toBe('jörg@bücher.example');
    expect(read?.original?.content.toString()).toContain('Subject: Grüße');
  });

  it('EXT-UTF8-8 a mail that was delivered reads in ASCII alone, and means the same', async () => {
    await using test = await startTestAgent();
    await sendMail(test.port, {
      from: latin1('<änn@example.org> SMTPUTF8'),
      to: ['<bob@example.org>'],
      text: latin1(
        'From: Änn <änn@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: Grüße\r\nMessage-ID: <ü@x>\r\n\r\nHi\r\n',
      ),
    });
    const [kept] = await mailIn(test, 'bob', 1);
    const shown = downgradeMessage(octets(kept));
    expect(splitMessage(shown).header.every((octet) => octet < 128)).toBe(true);
    const mail = await PostalMime.parse(shown);
    expect([mail.subject, mail.to?.[0]?.address, mail.text?.trim()]).toEqual(['Grüße', 'bob@example.org', 'Hi']);
    expect(mail.headers.some(({ key }) => key === 'downgraded-message-id')).toBe(true);
    expect(mail.messageId).toBeUndefined();
  });
});
