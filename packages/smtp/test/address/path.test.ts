import { formatMailbox, formatReversePath } from '@posthorn/smtp/address/mailbox';
import { readForwardPath, readReversePath } from '@posthorn/smtp/address/path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mailbox } from '../arbitraries.ts';

describe('paths', () => {
  it('ADR-1 need their angle brackets, and say what follows them', () => {
    expect(readReversePath('<a@b> SIZE=1')).toEqual({ path: { localPart: 'a', domain: 'b' }, rest: ' SIZE=1' });
    expect(readForwardPath('<"a> b"@c>x')).toEqual({ path: { localPart: 'a> b', domain: 'c' }, rest: 'x' });
    expect(readForwardPath('<a@[x:b>c]> y')).toEqual({ path: { localPart: 'a', domain: '[x:b>c]' }, rest: ' y' });
    for (const text of [
      'a@b',
      '<a@b',
      'a@b>',
      '',
      '<',
      '<a>',
      '< a@b>',
      '<a@b >',
      '<<a@b>>',
      '<"a@b>',
      '<a@[b>',
      '>a@b<',
    ]) {
      expect(readReversePath(text), text).toBeUndefined();
      expect(readForwardPath(text), text).toBeUndefined();
    }
  });

  it('ADR-12 ADR-13 lose their source route', () => {
    const plain = { path: { localPart: 'u', domain: 'd' }, rest: '' };
    for (const text of ['<@a:u@d>', '<@a,@b:u@d>', '<@a.example,@b.example,@c.example:u@d>']) {
      expect(readForwardPath(text), text).toEqual(plain);
      expect(readReversePath(text), text).toEqual(plain);
    }
    for (const text of [
      '<@a>',
      '<@a:>',
      '<@a,b:u@d>',
      '<a:u@d>',
      '<@:u@d>',
      '<@a,:u@d>',
      '<@a, @b:u@d>',
      '<@a_b:u@d>',
    ]) {
      expect(readForwardPath(text), text).toBeUndefined();
      expect(readReversePath(text), text).toBeUndefined();
    }
  });

  it('EX-6 read the null reverse-path, and a forward-path by way of another host', () => {
    expect(readReversePath('<>')).toEqual({ path: null, rest: '' });
    expect(readForwardPath('<@HOSTX.ARPA:JOE@HOSTW.ARPA>')?.path).toEqual({ localPart: 'JOE', domain: 'HOSTW.ARPA' });
  });

  it('EX-7 read a route of three hosts', () => {
    expect(readReversePath('<@GHI.ARPA,@DEF.ARPA,@ABC.ARPA:JOE@ABC.ARPA>')?.path).toEqual({
      localPart: 'JOE',
      domain: 'ABC.ARPA',
    });
  });

  it('ADR-14 are null for senders alone', () => {
    expect(readReversePath('<> RET=HDRS')).toEqual({ path: null, rest: ' RET=HDRS' });
    expect(readForwardPath('<>')).toBeUndefined();
    expect(readReversePath('< >')).toBeUndefined();
  });

  it('ADR-16 may be a Postmaster without domain, in any case, for recipients alone', () => {
    for (const localPart of ['Postmaster', 'postmaster', 'POSTMASTER']) {
      expect(readForwardPath(`<${localPart}>`)?.path).toEqual({ localPart, domain: '' });
      expect(readForwardPath(`<"${localPart}">`)?.path).toEqual({ localPart, domain: '' });
      expect(readReversePath(`<${localPart}>`)).toBeUndefined();
    }
    expect(readForwardPath('<abuse>')).toBeUndefined();
  });

  it('ADR-5 are given back as they were written', () => {
    fc.assert(
      fc.property(mailbox(true), fc.constantFrom('', ' SIZE=1', '>'), (path, rest) => {
        expect(readReversePath(formatReversePath(path) + rest, { utf8: true })).toEqual({ path, rest });
        expect(readForwardPath(`<${formatMailbox(path)}>${rest}`, { utf8: true })).toEqual({ path, rest });
      }),
    );
  });

  it('end on hostile input, however long', () => {
    const long = 100_000;
    for (const text of [
      '<'.repeat(long),
      `<${'"a"'.repeat(long)}`,
      `<${'"'.repeat(long)}`,
      `<${'"\\"'.repeat(long)}`,
      `<${'[a]'.repeat(long)}`,
      `<${'['.repeat(long)}`,
      `<${'@a,'.repeat(long)}:u@d>`,
      `<${'@a:'.repeat(long)}u@d>`,
    ]) {
      expect(readForwardPath(text, { utf8: true })).toBeUndefined();
    }
  });
});
