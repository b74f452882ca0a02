import { composeDsn } from '@posthorn/smtp/report/compose-dsn';
import { parseDsn } from '@posthorn/smtp/report/parse-dsn';
import { type OriginalMessage, returnsFull } from '@posthorn/smtp/report/returned-content';
import { describe, expect, it } from 'vitest';
import { dsnFacts, partsOf } from './facts.ts';

const original = (header: string, body?: string, encoding: BufferEncoding = 'utf8'): OriginalMessage => ({
  header: Buffer.from(header, encoding),
  ...(body !== undefined && { body: Buffer.from(body, encoding) }),
});

function returned(message: OriginalMessage, reversePath = 'ann@example.org') {
  const dsn = composeDsn(dsnFacts({ original: message, reversePath }));
  return {
    ...dsn,
    part: partsOf(dsn.content)[2] as { head: string; body: string },
    read: parseDsn(dsn.content)?.original,
  };
}

describe('what a report brings back', () => {
  const kib = 1024;
  it.each([
    [{ actions: ['failed'], ret: 'FULL', size: 600 * kib }, true],
    [{ actions: ['failed'], ret: 'FULL', size: 2000 * kib }, false],
    [{ actions: ['failed'], ret: 'FULL', size: 600 * kib, limit: 100 * kib }, false],
    [{ actions: ['failed'], ret: 'HDRS', size: 1 }, false],
    [{ actions: ['delivered'], ret: 'FULL', size: 1 }, false],
    [{ actions: ['delayed'], size: 1 }, false],
    [{ actions: ['delayed', 'failed'], ret: 'FULL', size: 1 }, true],
    [{ actions: ['failed'], size: 50 * kib }, true],
    [{ actions: ['failed'], size: 50 * kib + 1 }, false],
  ] as const)('DSN-4 follows the wish and the kind of news: %j', (facts, full) => {
    expect(returnsFull(facts)).toBe(full);
  });

  it('DSN-3 DSN-4 brings the whole message back as it was', () => {
    const { part, read, body } = returned(original('Subject: x\r\n', 'text\r\n--=_\r\n'));
    expect(part.head).toBe('Content-Type: message/rfc822');
    expect(read).toEqual({ kind: 'message', content: Buffer.from('Subject: x\r\n\r\ntext\r\n--=_\r\n') });
    expect(body).toBe('7BIT');
  });

  it('DSN-3 labels an 8-bit message, so that the report needs 8BITMIME', () => {
    const { part, read, body } = returned(original('Subject: x\r\n', 'Gr\xfc\xdfe\r\n', 'latin1'));
    expect(part.head).toBe('Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit');
    expect(read?.content.toString('latin1')).toBe('Subject: x\r\n\r\nGr\xfc\xdfe\r\n');
    expect(body).toBe('8BITMIME');
  });

  it('DSN-3 brings only the header back of what no line can carry', () => {
    for (const body of ['\0', 'bare\n', 'x'.repeat(999)]) {
      const { part, read } = returned(original('Subject: x\r\n', body));
      expect(part.head).toBe('Content-Type: text/rfc822-headers');
      expect(read).toEqual({ kind: 'headers', content: Buffer.from('Subject: x\r\n') });
    }
  });

  it('EXT-UTF8-12 DSN-19 encodes a message with a UTF-8 header towards a sender with an ASCII address', () => {
    const whole = returned(original('Subject: grüße\r\n', 'body é\r\n'));
    expect(whole.part.head).toBe('Content-Type: message/global\r\nContent-Transfer-Encoding: quoted-printable');
    expect(whole.read).toEqual({ kind: 'message', content: Buffer.from('Subject: grüße\r\n\r\nbody é\r\n') });
    expect([whole.body, whole.smtputf8]).toEqual(['7BIT', false]);
    const header = returned(original('Subject: grüße\r\n'));
    expect(header.part.head).toBe(
      'Content-Type: message/global-headers\r\nContent-Transfer-Encoding: quoted-printable',
    );
    expect(header.read).toEqual({ kind: 'headers', content: Buffer.from('Subject: grüße\r\n') });
  });

  it('EXT-UTF8-6 DSN-19 sends UTF-8 as it is towards a sender with a UTF-8 address', () => {
    const whole = returned(original('Subject: grüße\r\n', 'body\r\n'), 'jürg@example.org');
    expect(whole.part.head).toBe('Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit');
    expect(whole.read?.content.toString()).toBe('Subject: grüße\r\n\r\nbody\r\n');
    expect([whole.body, whole.smtputf8]).toEqual(['8BITMIME', true]);
    const header = returned(original('Subject: grüße\r\n'), 'jürg@example.org');
    expect(header.part.head).toBe('Content-Type: message/global-headers\r\nContent-Transfer-Encoding: 8bit');
  });

  it('DSN-3 encodes a header that is neither ASCII nor UTF-8, and leaves the body out', () => {
    const { part, read, body } = returned(original('Subject: gr\xfc\xdfe\r\n', 'body\r\n', 'latin1'));
    expect(part.head).toBe('Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: quoted-printable');
    expect(read?.content.toString('latin1')).toBe('Subject: gr\xfc\xdfe\r\n');
    expect(body).toBe('7BIT');
  });

  it('DSN-4 cuts a flood of header fields behind a whole one', () => {
    const { read } = returned(original('X-Flood: 12345\r\n'.repeat(10_000)));
    expect(read?.content.length).toBe(64 * 1024);
    expect(read?.content.toString().endsWith('\r\n')).toBe(true);
  });
});
