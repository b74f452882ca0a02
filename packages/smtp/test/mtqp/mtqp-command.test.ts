import { formatMtqpCommand, type MtqpCommand, parseMtqpCommand } from '@posthorn/smtp/mtqp/mtqp-command';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { envelopeId, secret } from './memory-mtqp.ts';

const octets = fc.uint8Array({ minLength: 1, maxLength: 128 }).map((bytes) => Buffer.from(bytes));
const command: fc.Arbitrary<MtqpCommand> = fc.oneof(
  fc.record({
    verb: fc.constant('TRACK' as const),
    envelopeId: fc.stringMatching(/^[!-*,-;=?-~ ]{1,40}@[a-z.]{1,20}$/),
    secret: octets,
  }),
  fc.record({ verb: fc.constant('COMMENT' as const), text: fc.stringMatching(/^[ -~]{0,60}$/) }),
  fc.record({ verb: fc.constant('STARTTLS' as const), domain: fc.stringMatching(/^[a-z]{1,9}(\.[a-z]{1,9}){0,3}$/) }),
  fc.constant<MtqpCommand>({ verb: 'QUIT' }),
);

describe('an MTQP command', () => {
  it('EXT-MTQP-1 EXT-MTQP-3 reads what it writes', () => {
    fc.assert(
      fc.property(command, (given) => {
        const line = formatMtqpCommand(given);
        expect(line.endsWith('\r\n')).toBe(true);
        expect(parseMtqpCommand(line.slice(0, -2))).toEqual(given);
      }),
    );
  });

  it('EXT-MTQP-1 takes any case, and blanks or tabs between words', () => {
    const text = 'Xwx74alNIobzsBF86F2aRGPC';
    expect(parseMtqpCommand(`track  ${envelopeId}\t ${text} `)).toEqual({ verb: 'TRACK', envelopeId, secret });
    expect(parseMtqpCommand('StartTLS \t mail.example.org\t ')).toEqual({
      verb: 'STARTTLS',
      domain: 'mail.example.org',
    });
    expect(parseMtqpCommand('quit')).toEqual({ verb: 'QUIT' });
  });

  it('EXT-MTQP-3 takes an envid in angle brackets or in xtext, and a secret with its padding or without', () => {
    expect(parseMtqpCommand('TRACK <12345-20010101@example.com> YWJjZGVmZ2gK')).toEqual({
      verb: 'TRACK',
      envelopeId: '12345-20010101@example.com',
      secret: Buffer.from('abcdefgh\n'),
    });
    for (const text of ['AAECAwQFBgcICQoLDA0ODw==', 'AAECAwQFBgcICQoLDA0ODw']) {
      expect(parseMtqpCommand(`TRACK a+2Bb+20c@x.example ${text}`)).toMatchObject({
        envelopeId: 'a+b c@x.example',
        secret: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'),
      });
    }
  });

  it.each([
    'TRACK',
    'TRACK x@y.example',
    'TRACK x@y.example YWJj more',
    'TRACK x@y.example YW=j',
    'TRACK x@y.example YWJ$',
    `TRACK x@y.example ${'A'.repeat(172)}`,
    `TRACK ${'x'.repeat(101)} YWJj`,
    'TRACK a+zz@y.example YWJj',
    'TRACK a+0D+0Ab@y.example YWJj',
    'TRACK <> YWJj',
    'STARTTLS',
    'STARTTLS a b',
    'STARTTLS -bad-.example',
    'QUIT now',
    'NOOP',
    '',
    ' QUIT',
    'TRACKER x@y.example YWJj',
    'TRACK x@y.example\0 YWJj',
    'QU\x80IT',
  ])('EXT-MTQP-2 answers -BAD to %j', (line) => {
    expect(parseMtqpCommand(line)).toMatchObject({ indicator: 'BAD', details: [] });
  });

  it('EXT-MTQP-5 finds nothing wrong with a comment', () => {
    for (const line of ['COMMENT', 'comment \0\xff', 'COMMENT  two  words']) {
      expect(parseMtqpCommand(line)).toMatchObject({ verb: 'COMMENT' });
    }
  });

  it('EXT-MTQP-2 reads any line without an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 1000 }), (line) => {
        expect(parseMtqpCommand(line)).toBeTypeOf('object');
        expect(parseMtqpCommand(`TRACK ${line}`)).toBeTypeOf('object');
      }),
    );
  });
});
