import type { Mailbox } from '@posthorn/smtp/address/mailbox';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { fieldValue, splitMessage } from '@posthorn/smtp/message/header';
import { composeFeedbackReport, type FeedbackFacts } from '@posthorn/smtp/report/compose-feedback-report';
import type { FeedbackReport } from '@posthorn/smtp/report/feedback-report';
import { parseFeedbackReport } from '@posthorn/smtp/report/parse-feedback-report';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { partsOf } from './facts.ts';

const mailbox = (text: string) => parseMailbox(text) as Mailbox;
const header = Buffer.from('From: spam@far.example\r\nSubject: Buy now\r\nMessage-ID: <1@far.example>\r\n');

const full: FeedbackReport = {
  feedbackType: 'abuse',
  userAgent: 'Posthorn/0.1',
  originalEnvelopeId: 'QQ1',
  originalMailFrom: 'spam@far.example',
  arrivalDate: Date.UTC(2026, 10, 3, 4, 5, 6),
  reportingMta: 'mx.example.org',
  sourceIp: '192.0.2.1',
  incidents: 3,
  authenticationResults: ['mx.example.org; spf=fail smtp.mailfrom=far.example'],
  originalRcptTo: ['ann@example.org', 'bob@example.org'],
  reportedDomains: ['far.example'],
  reportedUris: ['https://far.example/x'],
  extensions: [{ name: 'Auth-Failure', value: 'spf' }],
};

function facts(changes: Partial<FeedbackFacts> = {}): FeedbackFacts {
  let calls = 0;
  return {
    report: full,
    from: { mailbox: mailbox('abuse@example.org') },
    to: [{ mailbox: mailbox('fbl@far.example') }],
    original: { header, body: Buffer.from('Cheap\r\n') },
    now: Date.UTC(2026, 10, 3, 6, 0, 0),
    random: (octets) => Buffer.alloc(octets, ++calls),
    ...changes,
  };
}

const bare = { authenticationResults: [], originalRcptTo: [], reportedDomains: [], reportedUris: [], extensions: [] };

/** A report with these lines for programs. */
function reportOf(...lines: readonly string[]): Buffer {
  const { content } = composeFeedbackReport(facts());
  const text = content.toString();
  const at = text.indexOf('Feedback-Type:');
  return Buffer.from(
    text.slice(0, at) + lines.map((line) => `${line}\r\n`).join('') + text.slice(text.indexOf('\r\n--', at)),
  );
}

const must = ['Feedback-Type: abuse', 'User-Agent: x/1', 'Version: 1'];

describe('composeFeedbackReport', () => {
  it('SEC-ARF-1 is a multipart/report of three parts, its subject that of the message', async () => {
    const { content } = composeFeedbackReport(facts());
    const top = splitMessage(content).header;
    expect(fieldValue(top, 'content-type')).toMatch(
      /^multipart\/report; report-type=feedback-report; boundary="[^"]+"$/,
    );
    expect(fieldValue(top, 'subject')).toBe('FW: Buy now');
    expect(partsOf(content).map(({ head }) => head)).toEqual([
      'Content-Type: text/plain; charset=us-ascii',
      'Content-Type: message/feedback-report',
      'Content-Type: message/rfc822',
    ]);
    const mail = await PostalMime.parse(content);
    expect(mail.attachments.map(({ mimeType }) => mimeType)).toEqual(['message/feedback-report', 'message/rfc822']);
  });

  it('SEC-ARF-1 writes what must be there once, then what may', () => {
    expect(partsOf(composeFeedbackReport(facts()).content)[1]?.body.split('\r\n')).toEqual([
      'Feedback-Type: abuse',
      'User-Agent: Posthorn/0.1',
      'Version: 1',
      'Original-Envelope-Id: QQ1',
      'Original-Mail-From: <spam@far.example>',
      'Arrival-Date: Tue, 3 Nov 2026 04:05:06 +0000',
      'Reporting-MTA: dns; mx.example.org',
      'Source-IP: 192.0.2.1',
      'Incidents: 3',
      'Authentication-Results: mx.example.org; spf=fail smtp.mailfrom=far.example',
      'Original-Rcpt-To: <ann@example.org>',
      'Original-Rcpt-To: <bob@example.org>',
      'Reported-Domain: far.example',
      'Reported-URI: https://far.example/x',
      'Auth-Failure: spf',
      '',
    ]);
  });

  it('SEC-ARF-1 gives back the header alone where that is all, or where the message has no form that mail carries', () => {
    const of = (original: FeedbackFacts['original']) =>
      partsOf(composeFeedbackReport(facts({ original })).content)[2]?.head;
    expect(of({ header })).toBe('Content-Type: text/rfc822-headers');
    expect(of({ header, body: Buffer.from('a\0b') })).toBe('Content-Type: text/rfc822-headers');
    expect(of({ header: Buffer.from('Subject: Grüße\r\n'), body: Buffer.from('x') })).toBe(
      'Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: quoted-printable',
    );
  });

  it('SEC-ARF-1 keeps the words of strangers inside of their field', () => {
    const report = {
      ...full,
      reportedUris: ['https://x\r\nFeedback-Type: fraud'],
      extensions: [{ name: 'A: b', value: 'c' }],
    };
    const { content } = composeFeedbackReport(facts({ report }));
    expect(parseFeedbackReport(content)?.report).toEqual({
      ...report,
      reportedUris: ['https://x??Feedback-Type: fraud'],
      extensions: [],
    });
  });
});

describe('parseFeedbackReport', () => {
  it('SEC-ARF-1 reads back every report that is composed', () => {
    const line = fc.string({ unit: fc.constantFrom(...'abc:/.xyz09-'), minLength: 1, maxLength: 30 });
    const some = fc.array(line, { maxLength: 3 });
    const report = fc.record<FeedbackReport>({
      feedbackType: fc.constantFrom('abuse', 'fraud', 'virus', 'other', 'not-spam', 'auth-failure'),
      userAgent: line,
      originalMailFrom: fc.constantFrom('', 'a@b.example'),
      arrivalDate: fc.nat(2_000_000_000).map((seconds) => seconds * 1000),
      sourceIp: fc.constantFrom('192.0.2.7', '2001:db8::1'),
      incidents: fc.nat(0xffffffff),
      authenticationResults: some,
      originalRcptTo: some,
      reportedDomains: some,
      reportedUris: some,
      extensions: fc.array(fc.record({ name: fc.constantFrom('Auth-Failure', 'DKIM-Domain', 'X-1'), value: line }), {
        maxLength: 3,
      }),
    });
    fc.assert(
      fc.property(report, (each) => {
        expect(parseFeedbackReport(composeFeedbackReport(facts({ report: each })).content)?.report).toEqual(each);
      }),
    );
  });

  it('SEC-ARF-1 reads the shortest report, comments and the older name of the date, and ignores what it does not know', () => {
    const read = parseFeedbackReport(
      reportOf(
        'version: (v) 1',
        'FEEDBACK-TYPE: Abuse (spam)',
        'User-Agent: x/1',
        'Received-Date: 3 Nov 26 04:05:06 GMT',
        'X-New: y',
      ),
    );
    expect(read?.report).toEqual({
      ...bare,
      feedbackType: 'abuse',
      userAgent: 'x/1',
      arrivalDate: full.arrivalDate,
      extensions: [{ name: 'X-New', value: 'y' }],
    });
    expect(read?.original.kind).toBe('message');
  });

  it.each([
    [must.slice(1)],
    [must.slice(0, 2)],
    [[...must, 'Version: 1']],
    [[...must, 'feedback-type: fraud']],
    [[...must, 'Source-IP: 192.0.2.1', 'Source-IP: 192.0.2.2']],
    [[...must, 'Incidents: 1', 'Incidents: 1']],
    [[...must, 'Arrival-Date: x', 'Received-Date: x']],
    [['Feedback-Type: abuse', 'User-Agent: x', 'Version: one']],
  ])('SEC-ARF-1 refuses a malformed report: %j', (lines) => {
    expect(parseFeedbackReport(reportOf(...lines))).toBeUndefined();
  });

  it('SEC-ARF-1 refuses a report without the message', () => {
    const { content } = composeFeedbackReport(facts());
    expect(
      parseFeedbackReport(Buffer.from(content.toString().replace('message/rfc822', 'text/plain'))),
    ).toBeUndefined();
  });
});
