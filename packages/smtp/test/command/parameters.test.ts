import {
  isMailParameters,
  isRcptParameters,
  type MailParameters,
  readMailParameters,
  readRcptParameters,
  writeMailParameters,
  writeRcptParameters,
} from '@posthorn/smtp/command/parameters';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mailParameters, rcptParameters } from '../arbitraries.ts';
import { all, mail, rcpt, without } from './read-parameters.ts';

describe('parameters', () => {
  it('ADR-17 give back what was written', () => {
    fc.assert(
      fc.property(mailParameters, (given) => {
        const written = writeMailParameters(given, all);
        // What is longer on the wire than it may be is left out, and with it what it is needed for.
        const { envelopeId, tracking, ...rest } = given;
        const fits = written.some(({ keyword }) => keyword === 'ENVID');
        const expected = fits ? given : rest;
        expect(readMailParameters(written, all)).toEqual(expected);
        expect(isMailParameters(given)).toBe(fits || (envelopeId === undefined && tracking === undefined));
      }),
    );
    fc.assert(
      fc.property(rcptParameters, (given) => {
        expect(readRcptParameters(writeRcptParameters(given, all), all)).toEqual(given);
        expect(isRcptParameters(given)).toBe(true);
      }),
    );
  });

  it('ADR-18 REP-555 are refused with 555 when they are unknown, or their extension is not on offer', () => {
    expect(mail(' XFOO=1')).toBe('555 5.5.4');
    expect(rcpt(' XFOO')).toBe('555 5.5.4');
    expect(rcpt(' SIZE=1')).toBe('555 5.5.4');
    expect(mail(' NOTIFY=NEVER')).toBe('555 5.5.4');
    for (const [text, keyword] of [
      [' SIZE=1', 'SIZE'],
      [' BODY=7BIT', '8BITMIME'],
      [' SMTPUTF8', 'SMTPUTF8'],
      [' RET=FULL', 'DSN'],
      [' ENVID=a', 'DSN'],
      [' AUTH=<>', 'AUTH'],
      [' BY=1;R', 'DELIVERBY'],
      [' HOLDFOR=1', 'FUTURERELEASE'],
      [' HOLDUNTIL=2026-11-25T08:00:00Z', 'FUTURERELEASE'],
      [' MT-PRIORITY=1', 'MT-PRIORITY'],
      [' SOLICIT=org.example:ADV', 'NO-SOLICITING'],
      [' TRANSID=<a@b>', 'CHECKPOINT'],
      [` ENVID=a MTRK=${'A'.repeat(27)}`, 'MTRK'],
      [' REQUIRETLS', 'REQUIRETLS'],
    ] as const) {
      expect(mail(text)).toBeTypeOf('object');
      const only = keyword === 'DSN' ? without('DSN', 'MTRK') : without(keyword);
      expect(mail(text, only), text).toBe('555 5.5.4');
    }
    expect(rcpt(' NOTIFY=NEVER', without('DSN'))).toBe('555 5.5.4');
    expect(rcpt(' ORCPT=rfc822;a@b', without('DSN', 'MTRK'))).toBe('555 5.5.4');
    expect(rcpt(' RRVS=2026-11-25T08:00:00Z', without('RRVS'))).toBe('555 5.5.4');
  });

  it('ADR-18 are written only where their extension is on offer', () => {
    const given: MailParameters = {
      size: 1,
      body: '8BITMIME',
      smtputf8: true,
      ret: 'FULL',
      envelopeId: 'a',
      auth: null,
    };
    expect(writeMailParameters(given, new Set())).toEqual([]);
    expect(writeMailParameters(given, new Set(['SIZE']))).toEqual([{ keyword: 'SIZE', value: '1' }]);
    expect(writeRcptParameters({ notify: [], originalRecipient: 'rfc822;a@b' }, new Set())).toEqual([]);
  });

  it('ADR-19 are refused when one comes twice', () => {
    expect(mail(' SIZE=1 SIZE=1')).toBe('501 5.5.4');
    expect(mail(' RET=FULL BODY=7BIT ret=HDRS')).toBe('501 5.5.4');
    expect(mail(' SMTPUTF8 SMTPUTF8')).toBe('501 5.5.4');
    expect(rcpt(' NOTIFY=DELAY notify=DELAY')).toBe('501 5.5.4');
    expect(rcpt(' ORCPT=rfc822;a ORCPT=rfc822;a')).toBe('501 5.5.4');
  });

  it('EXT-SIZE-1 have a size of 1 to 20 digits, exact as far as numbers go', () => {
    expect(mail(' SIZE=0')).toEqual({ size: 0 });
    expect(mail(' SIZE=14680064')).toEqual({ size: 14_680_064 });
    expect(mail(' SIZE=00000000000000000005')).toEqual({ size: 5 });
    expect(mail(` SIZE=${'9'.repeat(20)}`)).toEqual({ size: Number.MAX_SAFE_INTEGER });
    for (const text of ['', '=-1', '=+1', '=1.5', '=1e3', '=0x1', '=a', `=${'1'.repeat(21)}`, '=1,000']) {
      expect(mail(` SIZE${text}`), text).toBe('501 5.5.4');
    }
    for (const size of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(writeMailParameters({ size }, all), String(size)).toEqual([]);
    }
  });

  it('EXT-8BIT-1 have a body of 7BIT or 8BITMIME, in any case, and no other', () => {
    expect(mail(' BODY=7bit')).toEqual({ body: '7BIT' });
    expect(mail(' BODY=8BitMime')).toEqual({ body: '8BITMIME' });
    for (const text of ['', '=8BIT', '=BINARY', '=7\u212aBIT', '=9BIT'])
      expect(mail(` BODY${text}`), text).toBe('501 5.5.4');
  });

  it('CMD-BDAT-8 have a binary body only where that is on offer', () => {
    expect(mail(' BODY=BINARYMIME')).toEqual({ body: 'BINARYMIME' });
    expect(mail(' BODY=BINARYMIME', without('BINARYMIME'))).toBe('501 5.5.4');
    expect(writeMailParameters({ body: 'BINARYMIME' }, without('BINARYMIME'))).toEqual([]);
  });

  it('EXT-UTF8-11 have no value with SMTPUTF8', () => {
    expect(mail(' smtputf8')).toEqual({ smtputf8: true });
    expect(mail(' SMTPUTF8=x')).toBe('501 5.5.4');
    expect(mail(' SMTPUTF8=1 BODY=8BITMIME')).toBe('501 5.5.4');
  });

  it('EXT-DSN-S1 have RET, NOTIFY and their values in any case', () => {
    expect(mail(' RET=full')).toEqual({ ret: 'FULL' });
    expect(mail(' ret=Hdrs')).toEqual({ ret: 'HDRS' });
    for (const text of ['', '=NONE', '=FULL,HDRS', '=HDR\u017f']) expect(mail(` RET${text}`), text).toBe('501 5.5.4');
    expect(rcpt(' NOTIFY=never')).toEqual({ notify: [] });
    expect(rcpt(' notify=Success,FAILURE,delay')).toEqual({ notify: ['SUCCESS', 'FAILURE', 'DELAY'] });
  });

  it('EXT-DSN-S2 have NEVER alone, and each other wish at most once', () => {
    for (const text of [
      '',
      '=NEVER,FAILURE',
      '=FAILURE,NEVER',
      '=NEVER,NEVER',
      '=FAILURE,FAILURE',
      '=ALWAYS',
      '=,',
      '=FAILURE,',
      '=,FAILURE',
      '=FAILURE;DELAY',
      '=\u017fUCCESS',
    ]) {
      expect(rcpt(` NOTIFY${text}`), text).toBe('501 5.5.4');
    }
  });

  it('EXT-DSN-S1 ADR-20 have an ENVID of xtext, printable, of at most 100 characters', () => {
    expect(mail(' ENVID=QQ314159')).toEqual({ envelopeId: 'QQ314159' });
    expect(mail(' ENVID=a+2Bb+3Dc+20d')).toEqual({ envelopeId: 'a+b=c d' });
    expect(mail(` ENVID=${'a'.repeat(100)}`)).toEqual({ envelopeId: 'a'.repeat(100) });
    for (const text of ['', `=${'a'.repeat(101)}`, '=a+', '=a+2b', '=+0D+0ABcc:x', '=+00', '=+7F', '=+C3+A9', '=é']) {
      expect(mail(` ENVID${text}`), text).toBe('501 5.5.4');
    }
    for (const envelopeId of ['', 'a\r\nBcc: x', '\0', 'é', 'a'.repeat(101), ' '.repeat(34)]) {
      expect(writeMailParameters({ envelopeId }, all), envelopeId).toEqual([]);
    }
  });

  it('EXT-DSN-S1 ADR-20 have an ORCPT of a type and an address of xtext, of at most 500 characters', () => {
    expect(rcpt(' ORCPT=rfc822;Bob@Example.com')).toEqual({ originalRecipient: 'rfc822;Bob@Example.com' });
    expect(rcpt(' ORCPT=RFC822;a+2Bb@c')).toEqual({ originalRecipient: 'RFC822;a+b@c' });
    expect(rcpt(' ORCPT=x400;a;b')).toEqual({ originalRecipient: 'x400;a;b' });
    expect(rcpt(` ORCPT=rfc822;${'a'.repeat(493)}`)).toBeTypeOf('object');
    for (const text of [
      '',
      '=a@b',
      '=;a@b',
      '=rfc822;',
      '=rfc(822);a@b',
      '=rfc@822;a@b',
      '=rfc822;a+b@c',
      '=rfc822;+0D+0ABcc:x',
      '=x400;+C3+A9@d',
      '=rfc822;é@d',
      `=rfc822;${'a'.repeat(494)}`,
    ]) {
      expect(rcpt(` ORCPT${text}`), text).toBe('501 5.5.4');
    }
    for (const originalRecipient of [
      'a@b',
      'rfc822;',
      'rfc822;a\r\nb',
      'rfc822;é@d',
      `rfc822;${'a'.repeat(494)}`,
      'a b;c',
    ]) {
      expect(writeRcptParameters({ originalRecipient }, all), originalRecipient).toEqual([]);
    }
  });

  it('EXT-UTF8-10 read an ORCPT of type utf-8 in each of its three forms', () => {
    for (const address of [
      'δ@d.example',
      '\\x{3B4}@d.example',
      'δ\\x{3b4}@d.example',
      'a@b',
      '\\x{5C}\\x{2B}\\x{20}@d',
    ]) {
      expect(rcpt(` ORCPT=utf-8;${address}`), address).toEqual({ originalRecipient: `utf-8;${address}` });
      expect(rcpt(` ORCPT=UTF-8;${address}`), address).toEqual({ originalRecipient: `UTF-8;${address}` });
    }
    for (const address of [
      '+CE+B4@d',
      'a+b@d',
      'a\\b',
      '\\x{}',
      '\\x{3B4',
      '\\x{D800}',
      '\\x{110000}',
      '\\x{41}',
      '\\x{0A}',
      '',
    ]) {
      expect(rcpt(` ORCPT=utf-8;${address}`), address).toBe('501 5.5.4');
    }
    expect(rcpt(' ORCPT=utf-8;\\x{3B4}@d', without('SMTPUTF8'))).toEqual({ originalRecipient: 'utf-8;\\x{3B4}@d' });
    expect(rcpt(' ORCPT=utf-8;δ@d', without('SMTPUTF8'))).toBe('501 5.5.4');
  });

  it('EXT-UTF8-10 take an ORCPT of type rfc822 for one of type utf-8 where its octets are, as Postfix writes it', () => {
    expect(rcpt(' ORCPT=rfc822;+D0+B4+D0+BE+2Bx+3D@d')).toEqual({ originalRecipient: 'utf-8;до\\x{2B}x\\x{3D}@d' });
    expect(rcpt(' ORCPT=rfc822;+C3+A9@d', without('SMTPUTF8'))).toBe('501 5.5.4');
    expect(rcpt(' ORCPT=rfc822;+C3+A9+C2+85@d')).toBe('501 5.5.4');
    expect(rcpt(' ORCPT=rfc822;+C3@d')).toBe('501 5.5.4');
  });

  it('EXT-UTF8-10 write an ORCPT of type utf-8 as it is to hosts with SMTPUTF8, and in ASCII to others', () => {
    const write = (originalRecipient: string, offered: ReadonlySet<string>) =>
      writeRcptParameters({ originalRecipient }, offered)[0]?.value;
    for (const given of ['utf-8;δ b+c=\\x{5C}@d', 'utf-8;\\x{3B4}\\x{20}b\\x{2B}c\\x{3D}\\x{5C}@d']) {
      expect(write(given, all)).toBe('utf-8;δ\\x{20}b\\x{2B}c\\x{3D}\\x{5C}@d');
      expect(write(given, without('SMTPUTF8'))).toBe('utf-8;\\x{3B4}\\x{20}b\\x{2B}c\\x{3D}\\x{5C}@d');
    }
    // 120 letters make 720 characters of escapes.
    expect(write(`utf-8;${'δ'.repeat(120)}@d`, all)).toBeDefined();
    expect(write(`utf-8;${'δ'.repeat(120)}@d`, without('SMTPUTF8'))).toBeUndefined();
  });

  it('CMD-AUTH-16 have an AUTH of xtext, or of empty brackets for nobody', () => {
    expect(mail(' AUTH=<>')).toEqual({ auth: null });
    expect(mail(' AUTH=e+3Dmc2@example.com')).toEqual({ auth: 'e=mc2@example.com' });
    expect(mail(' AUTH=Pel+C3+A9@example.org')).toEqual({ auth: 'Pelé@example.org' });
    for (const text of ['', '=a+', '=+0D+0A', '=+FF', `=${'a'.repeat(501)}`])
      expect(mail(` AUTH${text}`), text).toBe('501 5.5.4');
    expect(writeMailParameters({ auth: 'a\r\nb' }, all)).toEqual([]);
    expect(writeMailParameters({ auth: '' }, all)).toEqual([]);
  });

  it('ADR-17 end on hostile values, however long', () => {
    const long = 100_000;
    const keywords = ['SIZE', 'BODY', 'RET', 'ENVID', 'AUTH', 'XFOO', 'BY', 'HOLDFOR', 'HOLDUNTIL', 'MT-PRIORITY'];
    for (const keyword of [...keywords, 'SOLICIT', 'TRANSID', 'MTRK', 'REQUIRETLS']) {
      for (const unit of ['1', 'a', '+', '+20', ';', ',', 'a,', 'a.', '<', '-', ':', '2026-', 'a@'])
        mail(` ${keyword}=${unit.repeat(long)}`);
    }
    for (const unit of ['1', '-', ':', '2026-11-25T08:00:00Z', ';R', '.']) {
      expect(rcpt(` RRVS=${unit.repeat(long)}`)).toBe('501 5.5.4');
    }
    for (const unit of ['1', ',', 'DELAY,', ';', 'a;', '\\', '\\x{', '\\x{5C}', '+']) {
      expect(rcpt(` NOTIFY=${unit.repeat(long)}`)).toBe('501 5.5.4');
      expect(rcpt(` ORCPT=utf-8;${unit.repeat(long)}`)).toBe('501 5.5.4');
      expect(rcpt(` ORCPT=${unit.repeat(long)}`)).toBe('501 5.5.4');
    }
  });
});
