import { surveyHeader } from '@posthorn/smtp/message/header-survey';
import { formatReceived } from '@posthorn/smtp/message/received';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const survey = (message: string) => surveyHeader(Buffer.from(message));

describe('surveyHeader', () => {
  it('CMD-DATA-12 TRC-5 counts Received fields of the header, malformed ones too', () => {
    const message =
      'Received: one\r\n\treceived: folded\r\nRECEIVED : two\nreceived:\r\nX-Received: no\r\nReceived no\r\nSubject: Received:\r\n\r\nReceived: body\r\n';
    expect(survey(message).received).toBe(3);
    expect(survey('').received).toBe(0);
    expect(survey('\r\nReceived: body\r\n').received).toBe(0);
    expect(survey('Received:').received).toBe(1);
    const facts = { by: 'mx.example.org', protocol: 'ESMTP', id: 'Q', recipients: [], date: 0 };
    expect(survey(formatReceived(facts).repeat(101)).received).toBe(101);
  });

  it.each(['Solicitation', 'TLS-Required', 'Require-Recipient-Valid-Since', 'sOLICITATION ', 'tls-required\t'])(
    'sees %s wherever it stands in the header, and nowhere else',
    (name) => {
      expect(survey(`Subject: x\r\nSender: y\r\n${name}: z\r\n\r\n`).wishes).toBe(true);
      expect(survey(`${name}: z\r\n\r\n`).wishes).toBe(true);
      expect(survey(`Subject: x\r\n ${name}: z\r\nX-${name}: z\r\n\r\n${name}: z\r\n`).wishes).toBe(false);
    },
  );

  it('comes to an end with any octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        expect(surveyHeader(Buffer.from(octets)).received).toBeLessThanOrEqual(40);
      }),
    );
  });
});
