import { writeMailParameters, writeRcptParameters } from '@posthorn/smtp/command/parameters';
import { describe, expect, it } from 'vitest';
import { all, mail, rcpt, without } from './read-parameters.ts';

describe('TRANSID', () => {
  it('EXT-CKPT-1 is two tokens around an at sign in brackets, whose letters keep their case', () => {
    for (const id of [
      'a@b',
      '12345@Example.ORG',
      "!#$%&'*+-^_`{|}~@x",
      'a.b.c@d.e',
      `${'a'.repeat(40)}@${'b'.repeat(37)}`,
    ]) {
      expect(mail(` TRANSID=<${id}>`), id).toEqual({ transactionId: id });
      expect(writeMailParameters({ transactionId: id }, all)).toEqual([{ keyword: 'TRANSID', value: `<${id}>` }]);
    }
  });

  it('EXT-CKPT-1 is refused when it is malformed, longer than 80 characters, or given twice', () => {
    const bad = ['', '=a@b', '=<>', '=<a>', '=<a@>', '=<@b>', '=<a@b@c>', '=<a..b@c>', '=<.a@b>', '=<a.@b>', '=<a@b>x'];
    const specials = [...'()<>,;:\\"/[]?'].map((special) => `=<a${special}b@c>`);
    for (const text of [...bad, ...specials, '=<a@b', `=<${'a'.repeat(40)}@${'b'.repeat(38)}>`]) {
      expect(mail(` TRANSID${text}`), text).toBe('501 5.5.4');
    }
    expect(mail(' TRANSID=<a@b> TRANSID=<a@b>')).toBe('501 5.5.4');
    expect(mail(' TRANSID=<é@b>')).toBe('501 5.5.4');
  });
});

const certifier = '7R7AfBHMTnZ+qrDWiKsvUr0Vj/E';

describe('MTRK', () => {
  it('EXT-MTRK-1 is a certifier of 27 characters, and maybe a time of one to nine digits', () => {
    expect(mail(` MTRK=${certifier} ENVID=a@b`)).toEqual({ tracking: { certifier }, envelopeId: 'a@b' });
    expect(mail(` ENVID=a@b MTRK=${certifier}:864000`)).toEqual({
      tracking: { certifier, timeout: 864_000 },
      envelopeId: 'a@b',
    });
  });

  it('EXT-MTRK-1 is refused when it is malformed, or padded, or stands without ENVID', () => {
    for (const text of ['', ':1', certifier.slice(1), `${certifier}A`, `${certifier}:`, `${certifier}:1234567890`]) {
      expect(mail(` ENVID=a@b MTRK=${text}`), text).toBe('501 5.5.4');
    }
    expect(mail(` ENVID=a@b MTRK=${certifier.slice(0, 26)}-`)).toBe('501 5.5.4');
    expect(mail(` ENVID=a@b MTRK=${certifier}:-1`)).toBe('501 5.5.4');
    expect(mail(' ENVID=a@b MTRK')).toBe('501 5.5.4');
    expect(mail(` MTRK=${certifier}`)).toBe('501 5.5.4');
  });

  it('EXT-MTRK-1 brings ENVID and ORCPT with it to hosts without DSN, and goes with ENVID alone', () => {
    expect(mail(` MTRK=${certifier} ENVID=a@b`, without('DSN'))).toBeTypeOf('object');
    expect(rcpt(' ORCPT=rfc822;a@b', without('DSN'))).toEqual({ originalRecipient: 'rfc822;a@b' });
    const typed = { tracking: { certifier }, envelopeId: 'a@b' };
    expect(writeMailParameters(typed, new Set(['MTRK']))).toEqual([
      { keyword: 'ENVID', value: 'a@b' },
      { keyword: 'MTRK', value: certifier },
    ]);
    expect(writeRcptParameters({ originalRecipient: 'rfc822;a@b' }, new Set(['MTRK']))).toHaveLength(1);
    expect(writeMailParameters(typed, new Set(['DSN']))).toEqual([{ keyword: 'ENVID', value: 'a@b' }]);
    expect(writeMailParameters({ tracking: { certifier } }, all)).toEqual([]);
  });
});
