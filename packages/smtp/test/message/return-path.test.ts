import { parseDate } from '@posthorn/smtp/message/date';
import { headerFields, splitMessage } from '@posthorn/smtp/message/header';
import { formatReceived } from '@posthorn/smtp/message/received';
import { formatReturnPath, withReturnPath } from '@posthorn/smtp/message/return-path';
import { describe, expect, it } from 'vitest';

const trace = [
  'Return-Path: <@GHI.ARPA,@DEF.ARPA,@ABC.ARPA:JOE@ABC.ARPA>\r\n',
  'Received: from GHI.ARPA by JKL.ARPA ; 27 Oct 81 15:27:39 PST\r\n',
  'Received: from DEF.ARPA by GHI.ARPA ; 27 Oct 81 15:15:13 PST\r\n',
  'Received: from ABC.ARPA by DEF.ARPA ; 27 Oct 81 15:01:59 PST\r\n',
  'Date: 27 Oct 81 15:01:01 PST\r\n',
];

async function stored(pieces: Buffer[], path: string): Promise<string> {
  const out: Buffer[] = [];
  for await (const piece of withReturnPath(pieces, path)) out.push(piece);
  return Buffer.concat(out).toString('latin1');
}

describe('Return-Path', () => {
  it('TRC-6 writes the reverse-path, empty brackets for none', () => {
    expect(formatReturnPath('joe@abc.example')).toBe('Return-Path: <joe@abc.example>\r\n');
    expect(formatReturnPath('')).toBe('Return-Path: <>\r\n');
  });

  it('EX-7 TRC-5 TRC-6 leaves one Return-Path on top, and every other octet as it came', async () => {
    const received = formatReceived({
      from: 'jkl.example',
      by: 'mx.example',
      protocol: 'SMTP',
      id: '1',
      recipients: [],
      date: 0,
    });
    const message = `${received}${trace.join('')}\r\nReturn-Path: body\r\n`;
    const expected = `Return-Path: <JOE@ABC.ARPA>\r\n${received}${trace.slice(1).join('')}\r\nReturn-Path: body\r\n`;
    for (const size of [1, 7, 64, message.length]) {
      const pieces: Buffer[] = [];
      for (let at = 0; at < message.length; at += size) pieces.push(Buffer.from(message.slice(at, at + size)));
      expect(await stored(pieces, 'JOE@ABC.ARPA')).toBe(expected);
    }
  });

  it('EX-7 reads dates of 1981', () => {
    const { header } = splitMessage(Buffer.from(`${trace.join('')}\r\n`));
    const dates = [...headerFields(header)].slice(1).map((field) =>
      parseDate(
        field.value
          .split(';')
          .at(-1)
          ?.replace(/^Date:/, '') ?? '',
      ),
    );
    expect(dates).toEqual([
      Date.UTC(1981, 9, 27, 23, 27, 39),
      Date.UTC(1981, 9, 27, 23, 15, 13),
      Date.UTC(1981, 9, 27, 23, 1, 59),
      Date.UTC(1981, 9, 27, 23, 1, 1),
    ]);
  });

  it('TRC-6 delivers a message without header, and an empty one', async () => {
    expect(await stored([Buffer.from('\r\nbody')], '')).toBe('Return-Path: <>\r\n\r\nbody');
    expect(await stored([], 'a@b')).toBe('Return-Path: <a@b>\r\n');
    expect(await stored([Buffer.from('Return-Path: <x@y>\r\n')], 'a@b')).toBe('Return-Path: <a@b>\r\n');
  });

  it('TRC-6 passes a flood of header fields on', async () => {
    const flood = Buffer.from('X-Flood: 1\r\n'.repeat(100_000));
    expect(await stored([flood.subarray(0, 300_001), flood.subarray(300_001)], '')).toBe(`Return-Path: <>\r\n${flood}`);
  });
});
