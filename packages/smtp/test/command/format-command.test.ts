import type { Command } from '@posthorn/smtp/command/command';
import { formatCommand } from '@posthorn/smtp/command/format-command';
import { describe, expect, it } from 'vitest';

describe('formatCommand', () => {
  it('writes each command as the grammar has it', () => {
    const path = { localPart: 'Smith', domain: 'Alpha.ARPA' };
    const parameters = [{ keyword: 'SIZE', value: '7' }, { keyword: 'SMTPUTF8' }];
    const lines: [Command, string][] = [
      [{ verb: 'EHLO', name: '[192.0.2.1]' }, 'EHLO [192.0.2.1]'],
      [{ verb: 'MAIL', reversePath: null, parameters: [] }, 'MAIL FROM:<>'],
      [{ verb: 'MAIL', reversePath: path, parameters }, 'MAIL FROM:<Smith@Alpha.ARPA> SIZE=7 SMTPUTF8'],
      [{ verb: 'RCPT', forwardPath: { localPart: 'a b', domain: 'c' }, parameters: [] }, 'RCPT TO:<"a b"@c>'],
      [{ verb: 'RCPT', forwardPath: { localPart: 'Postmaster', domain: '' }, parameters: [] }, 'RCPT TO:<Postmaster>'],
      [{ verb: 'BDAT', size: 86, last: true }, 'BDAT 86 LAST'],
      [{ verb: 'AUTH', mechanism: 'EXTERNAL', initial: '=' }, 'AUTH EXTERNAL ='],
      [{ verb: 'AUTH', mechanism: 'LOGIN' }, 'AUTH LOGIN'],
      [{ verb: 'NOOP', argument: '' }, 'NOOP'],
      [{ verb: 'VRFY', argument: 'Smith' }, 'VRFY Smith'],
      [{ verb: 'DATA' }, 'DATA'],
    ];
    for (const [command, line] of lines) expect(formatCommand(command)).toBe(line);
  });

  it('GEN-1 writes no line end and no other control character, whatever it is given', () => {
    const bad = 'x\r\nDATA';
    const path = { localPart: 'a', domain: 'b' };
    const commands: Command[] = [
      { verb: 'EHLO', name: bad },
      { verb: 'MAIL', reversePath: { localPart: bad, domain: 'b' }, parameters: [] },
      { verb: 'MAIL', reversePath: { localPart: 'a', domain: bad }, parameters: [] },
      { verb: 'MAIL', reversePath: path, parameters: [{ keyword: 'X', value: bad }] },
      { verb: 'RCPT', forwardPath: path, parameters: [{ keyword: bad }] },
      { verb: 'NOOP', argument: bad },
      { verb: 'VRFY', argument: 'a\0' },
      { verb: 'AUTH', mechanism: 'PLAIN', initial: 'AA\n' },
    ];
    for (const command of commands) expect(() => formatCommand(command), command.verb).toThrow(RangeError);
  });
});
