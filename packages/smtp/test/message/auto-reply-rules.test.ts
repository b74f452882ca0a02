import { whyNoAutoReply } from '@posthorn/smtp/message/auto-reply-rules';
import { describe, expect, it } from 'vitest';

const own = new Set(['ann@example.org', 'annie@example.org']);
const why = (header: string, reversePath = 'bob@far.example') =>
  whyNoAutoReply({
    header: Buffer.from(header),
    reversePath,
    isOwn: (address) => own.has(address.toLowerCase()),
  });

describe('whyNoAutoReply', () => {
  it.each([
    'To: Ann <ann@example.org>\r\n',
    'to: all: x@y.example, ANN@example.org;\r\n',
    'To: x@y.example\r\nCc: x@y.example,\r\n "A, B" <annie@example.org>\r\n',
    'Bcc: ann@example.org\r\n',
    'Resent-To: ann@example.org\r\nTo: other@example.org\r\n',
    'Resent-Cc: ann@example.org\r\n',
    'Resent-Bcc: ann@example.org\r\n',
    'To: ann@example.org\r\nAuto-Submitted: no (really)\r\nPrecedence: first-class\r\n',
    'To: ann@example.org\r\nX-Spam-Status: No, score=1\r\n',
  ])('LOC-VAC-1 lets %j be answered', (header) => {
    expect(why(header)).toBeUndefined();
  });

  it.each([
    ['', 'no-return-path'],
    ['not an address', 'no-return-path'],
    ['owner-news@far.example', 'robot'],
    ['news-request@far.example', 'robot'],
    ['News-Owner+x=y@far.example', 'robot'],
    ['mailer-daemon@far.example', 'robot'],
    ['MAILER-DAEMON@far.example', 'robot'],
    ['Annie@example.org', 'robot'],
  ])('LOC-VAC-1 answers nobody at <%s>: %s', (reversePath, reason) => {
    expect(why('To: ann@example.org\r\n', reversePath)).toBe(reason);
  });

  it.each([
    ['Auto-Submitted: auto-generated\r\n', 'automatic'],
    ['Auto-Submitted: auto-replied; a=b (no)\r\n', 'automatic'],
    ['Precedence: Bulk\r\n', 'list'],
    ['precedence: junk\r\n', 'list'],
    ['Precedence: list\r\n', 'list'],
    ['List-Unsubscribe: <https://far.example>\r\n', 'list'],
    ['List-Id: x <x.y>\r\n', 'list'],
    ['X-Spam-Flag: YES\r\n', 'unwanted'],
    ['X-Spam-Status: Yes, score=9\r\n', 'unwanted'],
  ])('LOC-VAC-1 does not answer a message with %j: %s', (field, reason) => {
    expect(why(`To: ann@example.org\r\n${field}`)).toBe(reason);
  });

  it.each([
    'To: undisclosed-recipients:;\r\n',
    'To: other@example.org\r\n',
    'Subject: ann@example.org\r\n',
    'To: (\r\n',
    '',
  ])('LOC-VAC-1 does not answer what was not written to the person: %j', (header) =>
    expect(why(header)).toBe('not-named'),
  );
});
