import type { Command } from '@posthorn/smtp/command/command';
import { formatCommand } from '@posthorn/smtp/command/format-command';
import { parseCommand } from '@posthorn/smtp/command/parse-command';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { command } from '../arbitraries.ts';

/** Code and status of the reply that a line earns, or `read`. */
function verdict(line: string, lenient = false): string {
  const read = parseCommand(line, { lenient });
  return 'code' in read ? `${read.code} ${read.status}` : 'read';
}

function parsed(line: string): Command {
  const read = parseCommand(line);
  if ('code' in read) throw new Error(`${line}: ${read.code} ${read.lines.join(' ')}`);
  return read;
}

describe('parseCommand', () => {
  it('ADR-5 GEN-8 gives back every command that was written', () => {
    fc.assert(
      fc.property(command, (given) => {
        expect(parseCommand(formatCommand(given))).toEqual(given);
      }),
      { numRuns: 500 },
    );
  });

  it('GEN-8 reads verbs, FROM, TO, keywords and LAST in any case, and keeps that of local-parts', () => {
    expect(parsed('mAiL fRoM:<Smith@Alpha.ARPA> sIzE=5 Body=8bitmime')).toEqual({
      verb: 'MAIL',
      reversePath: { localPart: 'Smith', domain: 'Alpha.ARPA' },
      parameters: [
        { keyword: 'SIZE', value: '5' },
        { keyword: 'BODY', value: '8bitmime' },
      ],
    });
    expect(parsed('rcpt to:<Jones@Beta.ARPA>')).toMatchObject({ verb: 'RCPT', forwardPath: { localPart: 'Jones' } });
    expect(parsed('bdat 5 last')).toEqual({ verb: 'BDAT', size: 5, last: true });
    expect(parsed('auth plain AGEAYg==')).toEqual({ verb: 'AUTH', mechanism: 'PLAIN', initial: 'AGEAYg==' });
    for (const verb of ['quit', 'Data', 'rSET', 'sTaRtTlS', 'turn']) {
      expect(parsed(verb)).toEqual({ verb: verb.toUpperCase() });
    }
  });

  it('GEN-8 takes no letter outside of ASCII for its relative within', () => {
    // The upper case of U+0131 and U+017F is I and S.
    for (const line of ['ma\u0131l FROM:<>', 'R\u017fET', '\u017fTARTTLS', 'QU\u0131T']) {
      expect(verdict(line)).toBe('500 5.5.2');
    }
    expect(verdict('MAIL FROM:<> \u017f\u0131ze=1')).toBe('501 5.5.4');
    expect(verdict('MAIL FROM:<> \u212aEY=1')).toBe('501 5.5.4');
    expect(verdict('BDAT 5 la\u017ft')).toBe('501 5.5.4');
    expect(verdict('EHLO \u212aelvin')).toBe('501 5.5.4');
  });

  it('GEN-9 passes over blanks before the end of the line, SP and TAB alone', () => {
    for (const line of [
      'DATA',
      'NOOP',
      'MAIL FROM:<a@b>',
      'RCPT TO:<a@b>',
      'EHLO a',
      'BDAT 1 LAST',
      'AUTH PLAIN',
      'VRFY a',
    ]) {
      expect(parseCommand(`${line} \t  `), line).toEqual(parseCommand(line));
    }
    for (const blank of ['\u00a0', '\u3000', '\ufeff', '\u2028', '\v', '\f', '\n']) {
      expect(verdict(`DATA ${blank}`)).toBe('501 5.5.4');
      expect(verdict(`DATA${blank}`)).toBe('500 5.5.2');
      expect(parsed(`NOOP a${blank}`)).toEqual({ verb: 'NOOP', argument: `a${blank}` });
    }
  });

  it('GEN-10 refuses a space around the colon, and takes one behind it from mail programs of end users', () => {
    for (const line of ['MAIL FROM: <a@b>', 'RCPT TO: <a@b>', 'MAIL FROM: <>']) {
      expect(verdict(line)).toBe('501 5.5.4');
      expect(verdict(line, true)).toBe('read');
    }
    for (const line of [
      'MAIL FROM :<a@b>',
      'RCPT TO :<a@b>',
      'MAIL FROM : <a@b>',
      'MAIL FROM<a@b>',
      'MAIL a@b',
      'RCPT',
    ]) {
      expect(verdict(line)).toBe('501 5.5.4');
      expect(verdict(line, true)).toBe('501 5.5.4');
    }
    expect(verdict('MAIL FROM:  <a@b>', true)).toBe('501 5.1.7');
    expect(verdict('RCPT FROM:<a@b>')).toBe('501 5.5.4');
  });

  it('ADR-1 asks for angle brackets', () => {
    for (const lenient of [false, true]) {
      expect(verdict('MAIL FROM:user@d', lenient)).toBe('501 5.1.7');
      expect(verdict('RCPT TO:user@d', lenient)).toBe('501 5.1.3');
      expect(verdict('MAIL FROM:<user@d', lenient)).toBe('501 5.1.7');
      expect(verdict('RCPT TO:user@d>', lenient)).toBe('501 5.1.3');
    }
    expect(verdict('MAIL FROM:')).toBe('501 5.1.7');
    expect(verdict('RCPT TO:')).toBe('501 5.1.3');
  });

  it('ADR-2 ADR-6 ADR-8 ADR-11 CMD-MAIL-3 names the address as the fault', () => {
    const long = `${'u'.repeat(65)}@d`;
    for (const address of ['a..b@d', 'a@b_c', 'a@b.', 'a@[2001:db8::1]', 'a@[1.2.3]', '"a\tb"@d', 'a', long]) {
      expect(verdict(`MAIL FROM:<${address}>`), address).toBe('501 5.1.7');
      expect(verdict(`RCPT TO:<${address}>`), address).toBe('501 5.1.3');
    }
  });

  it('ADR-9 reads an address of another network, so that it can be refused as unroutable', () => {
    expect(parsed('RCPT TO:<u@[X400:c=de>a]>')).toMatchObject({ forwardPath: { domain: '[X400:c=de>a]' } });
  });

  it('ADR-14 takes the null path of a sender, with parameters too, and refuses that of a recipient', () => {
    expect(parsed('MAIL FROM:<>')).toEqual({ verb: 'MAIL', reversePath: null, parameters: [] });
    expect(parsed('MAIL FROM:<> BODY=8BITMIME')).toMatchObject({ reversePath: null });
    expect(verdict('RCPT TO:<>')).toBe('501 5.1.3');
  });

  it('EX-6 EX-7 ADR-12 ADR-13 takes source routes away, from senders and recipients', () => {
    expect(parsed('RCPT TO:<@HOSTX.ARPA:JOE@HOSTW.ARPA>')).toMatchObject({
      forwardPath: { localPart: 'JOE', domain: 'HOSTW.ARPA' },
    });
    expect(parsed('MAIL FROM:<@GHI.ARPA,@DEF.ARPA,@ABC.ARPA:JOE@ABC.ARPA>')).toMatchObject({
      reversePath: { localPart: 'JOE', domain: 'ABC.ARPA' },
    });
  });

  it('ADR-16 takes Postmaster without a domain', () => {
    expect(parsed('RCPT TO:<Postmaster>')).toMatchObject({ forwardPath: { localPart: 'Postmaster', domain: '' } });
    expect(verdict('RCPT TO:<root>')).toBe('501 5.1.3');
  });

  it('ADR-17 reads parameters as keyword, or keyword and value', () => {
    expect(parsed('MAIL FROM:<a@b> X-1=!-<>~  8Y')).toMatchObject({
      parameters: [{ keyword: 'X-1', value: '!-<>~' }, { keyword: '8Y' }],
    });
    for (const text of [
      ' =1',
      ' X=',
      ' X==',
      ' X=a=b',
      ' -X',
      ' X_Y=1',
      ' X\t',
      ' X=a\tb',
      ' é=1',
      'X=1',
      '\tX=1',
      ' X=\x7f',
    ]) {
      expect(verdict(`MAIL FROM:<a@b>${text} Z`), text).toBe('501 5.5.4');
      expect(verdict(`RCPT TO:<a@b>${text} Z`), text).toBe('501 5.5.4');
    }
  });

  it('CMD-AUTH-3 tells an initial response that is empty from none', () => {
    expect(parsed('AUTH EXTERNAL =')).toEqual({ verb: 'AUTH', mechanism: 'EXTERNAL', initial: '=' });
    expect(parsed('AUTH EXTERNAL')).toEqual({ verb: 'AUTH', mechanism: 'EXTERNAL' });
    for (const line of [
      'AUTH',
      'AUTH PLAIN a b',
      'AUTH PLAIN\ta',
      'AUTH é',
      'AUTH PLAIN é',
      `AUTH ${'A'.repeat(21)}`,
    ]) {
      expect(verdict(line), line).toBe('501 5.5.4');
    }
  });

  it('CMD-BDAT-6 takes the size of a chunk for as large as can be counted, and refuses what is no number', () => {
    expect(parsed('BDAT 0 LAST')).toEqual({ verb: 'BDAT', size: 0, last: true });
    expect(parsed(`BDAT ${'9'.repeat(400)}`)).toEqual({ verb: 'BDAT', size: Number.MAX_SAFE_INTEGER, last: false });
    for (const rest of ['', ' -1', ' +1', ' 1.5', ' 0x10', ' 1e3', ' LAST', ' 1 FIRST', ' 1 LAST x', ' ٣', ' 1LAST']) {
      expect(verdict(`BDAT${rest}`), rest).toBe('501 5.5.4');
    }
  });

  it('CMD-EHLO-3 CMD-HELO-1 reads a domain or a literal, and words behind a literal are passed over', () => {
    expect(parsed('EHLO client.example')).toEqual({ verb: 'EHLO', name: 'client.example' });
    expect(parsed('HELO [192.0.2.1] at home')).toEqual({ verb: 'HELO', name: '[192.0.2.1]' });
    expect(parsed('LHLO [IPv6:2001:db8::1]')).toEqual({ verb: 'LHLO', name: '[IPv6:2001:db8::1]' });
    for (const rest of ['', ' ', ' a b', ' [192.0.2.1]x', ' [192.0.2]', ' münchen.example', ' a;b', ' a@b', ' (a)']) {
      expect(verdict(`EHLO${rest}`), rest).toBe('501 5.5.4');
    }
  });

  it('CMD-EHLO-5 takes names of mail programs of end users that are no domains, but nothing that could be more than a name', () => {
    for (const name of ['MY_PC', 'host.', '-pc-', 'my..pc']) {
      expect(verdict(`EHLO ${name}`)).toBe('501 5.5.4');
      expect(parseCommand(`EHLO ${name}`, { lenient: true })).toEqual({ verb: 'EHLO', name });
    }
    for (const name of ['a b', 'a(b)', 'a;b', '', 'é', 'a'.repeat(256)]) {
      expect(verdict(`EHLO ${name}`, true), name).toBe('501 5.5.4');
    }
  });

  it('GEN-17 tells an unknown verb from what is no verb', () => {
    for (const line of ['XYZZY', 'X-HELLO world', 'constructor', '__proto__', 'toString a', 'MAILFROM:<a@b>']) {
      expect(verdict(line), line).toMatch(/^500 5\.5\.[12]$/);
    }
    expect(verdict('XYZZY a')).toBe('500 5.5.1');
    expect(verdict('hasOwnProperty')).toBe('500 5.5.1');
    for (const line of ['', ' ', ' NOOP', '\tNOOP', '\0', 'é', 'NOOP\0', 'NOOP:']) {
      expect(verdict(line), line).toBe('500 5.5.2');
    }
  });

  it('GEN-19 refuses arguments of commands that have none, and their absence from those that have', () => {
    for (const verb of ['DATA', 'RSET', 'QUIT', 'STARTTLS', 'TURN']) expect(verdict(`${verb} now`)).toBe('501 5.5.4');
    for (const verb of ['VRFY', 'EXPN', 'ETRN']) expect(verdict(verb)).toBe('501 5.5.4');
    for (const verb of ['NOOP', 'HELP', 'ATRN']) expect(verdict(verb)).toBe('read');
  });

  it('ends on hostile input, however long', () => {
    const long = 100_000;
    for (const unit of [
      ' ',
      '\t ',
      'a',
      'a ',
      'a=',
      'X=1 ',
      '-',
      '<',
      '>',
      '"',
      '\\',
      '@',
      'a@',
      '@a,',
      '[',
      ']',
      '9',
      'é',
      '.',
    ]) {
      const run = unit.repeat(long / unit.length);
      for (const prefix of [
        '',
        'EHLO ',
        'EHLO [',
        'MAIL FROM:<a@b>',
        'MAIL FROM:<a@b> X=',
        'RCPT TO:<',
        'BDAT 1',
        'AUTH P ',
        'NOOP',
      ]) {
        parseCommand(`${prefix}${run}`);
        parseCommand(`${prefix}${run}!`, { lenient: true });
        parseCommand(`${prefix}${run}\0`);
      }
    }
    expect(parsed(`NOOP${' '.repeat(long)}a${' '.repeat(long)}`)).toEqual({ verb: 'NOOP', argument: 'a' });
  });
});
