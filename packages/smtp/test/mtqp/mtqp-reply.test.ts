import { parseMtqpOptions } from '@posthorn/smtp/mtqp/mtqp-options';
import { formatMtqpReply, type MtqpReply, mtqpReply } from '@posthorn/smtp/mtqp/mtqp-reply';
import { MtqpReplyReader } from '@posthorn/smtp/mtqp/mtqp-reply-reader';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutLaw } from '../laws/cut-law.ts';

function readAll(pieces: readonly Buffer[]): (MtqpReply | 'garbage')[] {
  const reader = new MtqpReplyReader();
  const replies: (MtqpReply | 'garbage')[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (let reply = reader.next(); reply !== undefined; reply = reader.next()) {
      replies.push(reply);
      if (reply === 'garbage') return replies;
    }
  }
  return replies;
}

const read = (text: string) => readAll([Buffer.from(text)]);

const reply: fc.Arbitrary<MtqpReply> = fc
  .record({
    indicator: fc.constantFrom<MtqpReply['indicator']>('OK', 'TEMP', 'ERR', 'BAD'),
    details: fc.array(fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/), { maxLength: 3 }),
    text: fc.stringMatching(/^([!-~]{1,9}( [!-~]{1,9}){0,4})?$/),
    lines: fc.option(fc.array(fc.stringMatching(/^[.\t -~]{0,40}$/), { maxLength: 6 }), { nil: undefined }),
  })
  .map(({ lines, ...rest }) => (rest.indicator === 'OK' && lines !== undefined ? { ...rest, lines } : rest));

describe('an MTQP reply', () => {
  it('EXT-MTQP-2 reads what it writes, dot-stuffed', () => {
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 5 }), (replies) => {
        expect(read(replies.map(formatMtqpReply).join(''))).toEqual(replies);
      }),
    );
  });

  it('EXT-MTQP-2 is the same however it is cut', () => {
    const text =
      '+OK+/MTQP mx ready\r\nstarttls\r\n..dot\r\n.\r\n-ERR/noinfo No\r\n+ok\r\n-BAD/tls-in-progress/x  y\r\n';
    expect(cutLaw(text, readAll)).toEqual([
      { indicator: 'OK', details: ['MTQP'], text: 'mx ready', lines: ['starttls', '.dot'] },
      mtqpReply('ERR', 'noinfo', 'No'),
      mtqpReply('OK', '', ''),
      mtqpReply('BAD', 'tls-in-progress/x', 'y'),
    ]);
  });

  it('EXT-MTQP-1 is lines of at most 998 octets of printable ASCII', () => {
    const long = formatMtqpReply(mtqpReply('ERR', 'admin', `a\r\n\x1b[31m${'x'.repeat(2000)}`));
    expect(long).toMatch(/^-ERR\/admin a\?\?\?\[31mx+\r\n$/);
    expect(long).toHaveLength(1000);
  });

  it('EXT-MTQP-2 takes no octets for a reply that are none, and keeps no endless one', () => {
    for (const text of [
      '220 mx ESMTP\r\n',
      '+OKAY\r\n',
      'OK\r\n',
      '-ERROR x\r\n',
      '\r\n',
      `+OK ${'x'.repeat(9000)}\r\n`,
    ]) {
      expect(read(text)).toEqual(['garbage']);
    }
    const flood = Buffer.from(`${'x'.repeat(1000)}\r\n`.repeat(9000));
    expect(readAll([Buffer.from('+OK+\r\n'), flood])).toEqual(['garbage']);
    expect(readAll([Buffer.from('+OK+\r\n'), Buffer.from('\r\n'.repeat(1_000_000))])).toEqual(['garbage']);
  });

  it('EXT-MTQP-2 reads any octets without an exception', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 200 })),
        (pieces) => void readAll(pieces.map((each) => Buffer.from(each))),
      ),
    );
  });
});

describe('the options of a greeting', () => {
  it('EXT-MTQP-2 are continued by leading white space, and unknown ones do not matter', () => {
    const options = parseMtqpOptions(['vnd.com.example.a one', ' two', '\tthree', 'STARTtls  Required x', '', 'bad']);
    expect(options.startTls).toBe('required');
    expect([...options.others]).toEqual([
      ['vnd.com.example.a', 'one two three'],
      ['starttls', 'Required x'],
      ['bad', ''],
    ]);
  });

  it('EXT-MTQP-4 say whether TLS is offered', () => {
    expect(parseMtqpOptions(['starttls']).startTls).toBe('offered');
    expect(parseMtqpOptions(['starttls', ' required']).startTls).toBe('required');
    expect(parseMtqpOptions([' starttls', 'starttlsx required']).startTls).toBe('no');
  });
});
