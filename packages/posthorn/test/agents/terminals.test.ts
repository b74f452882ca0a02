import { writeFileSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { utmpLayoutOf } from '../../src/agents/parse-utmp.ts';
import { Terminals } from '../../src/agents/terminals.ts';
import { writeTerminal } from '../../src/agents/write-terminal.ts';
import { temporaryDirectory } from '../spool/temporary-directory.ts';
import { openPseudoTerminal, type PseudoTerminal } from './pseudo-terminal.ts';
import { utmpRecord } from './utmp-record.ts';

const layout = utmpLayoutOf(process.arch, endianness() === 'LE');

function terminalsOf(
  ...loggedIn: readonly { readonly user: string; readonly at: Pick<PseudoTerminal, 'path'> }[]
): Terminals {
  const utmp = join(temporaryDirectory(), 'utmp');
  const records = loggedIn.map(({ user, at }) => utmpRecord({ user, line: at.path.slice('/dev/'.length) }, layout));
  writeFileSync(utmp, Buffer.concat(records));
  return new Terminals({
    utmp,
    mailboxOf: (address) => (address.endsWith('@here.test') ? address : undefined),
    userOf: (mailbox) => mailbox.split('@')[0],
  });
}

describe('terminals of who is logged in', () => {
  it('CMD-SEND-2 show a text, all of those of a user and none of another one', async () => {
    await using one = await openPseudoTerminal();
    await using two = await openPseudoTerminal();
    await using other = await openPseudoTerminal();
    const terminals = terminalsOf({ user: 'bob', at: one }, { user: 'bob', at: two }, { user: 'ann', at: other });
    expect(await terminals.isActive('bob@here.test')).toBe(true);
    expect(await terminals.isActive('bob@elsewhere.test')).toBe(false);
    expect(await terminals.show('bob@here.test', 'Lunch?\r\n')).toBe(true);
    for (const terminal of [one, two]) await expect.poll(() => terminal.shown).toContain('Lunch?');
    expect(other.shown).not.toContain('Lunch?');
  });

  it('CMD-SEND-2 show nothing where messages are off, or the terminal is gone', async () => {
    await using off = await openPseudoTerminal('n');
    const terminals = terminalsOf({ user: 'bob', at: off }, { user: 'ann', at: { path: '/dev/pts/99999' } });
    for (const address of ['bob@here.test', 'ann@here.test', 'nobody@here.test']) {
      expect(await terminals.isActive(address)).toBe(false);
      expect(await terminals.show(address, 'Lunch?\r\n')).toBe(false);
    }
    expect(off.shown).not.toContain('Lunch?');
  });

  it('write to no file and no disk, and wait for none that is held', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '', { mode: 0o666 });
    expect(await writeTerminal(file, 'text', 100)).toBe(false);
    await using held = await openPseudoTerminal();
    // More than a terminal takes while nobody reads it would block for ever without a deadline.
    expect(await writeTerminal(held.path, 'x'.repeat(1000), 1000)).toBe(true);
  });
});

describe('terminals that are announced', () => {
  it('CMD-SEND-2 SEC-RES-1 show texts until they are taken back, and are bounded in number', async () => {
    const terminals = terminalsOf();
    const shown: string[] = [];
    const terminal = (result: boolean) => ({
      show: async (text: string) => {
        shown.push(text);
        return result;
      },
    });
    expect(terminals.announce('bob@elsewhere.test', terminal(true))).toBe('no mailbox');
    const first = terminals.announce('bob@here.test', terminal(false));
    expect(await terminals.show('bob@here.test', 'one')).toBe(false);
    const second = terminals.announce('bob@here.test', terminal(true));
    expect(await terminals.show('bob@here.test', 'two')).toBe(true);
    expect(shown).toEqual(['one', 'two', 'two']);
    for (const takeBack of [first, second, second]) if (typeof takeBack === 'function') takeBack();
    expect(await terminals.isActive('bob@here.test')).toBe(false);
    const all = Array.from({ length: 30 }, (_, at) => terminals.announce(`u${at}@here.test`, terminal(true)));
    expect(all.filter((each) => each === 'too many')).toHaveLength(6);
  });
});
