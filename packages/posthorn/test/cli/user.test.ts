import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseScramKeys } from '@posthorn/smtp/sasl/scram-keys';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import { verifyPassword } from '../../src/config/password.ts';
import { parseUserFile } from '../../src/config/user-file.ts';
import { fakeTerminal } from './fake-terminal.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'users-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function user(args: string[], input = 'correct horse\n') {
  const terminal = fakeTerminal({ folder, input });
  const code = await runCommand(['user', ...args], terminal);
  return { code, output: terminal.output(), said: terminal.said() };
}

const text = () => readFileSync(join(folder, 'users'), 'utf8');

describe('user', () => {
  it('hash prints what is kept for passwords, for SCRAM, and for NTLM where it is asked for', async () => {
    const [password, keys, rest] = (await user(['hash'])).output.split('\n');
    expect(await verifyPassword('correct horse', password)).toBe(true);
    expect(parseScramKeys(keys ?? '')?.hash).toBe('SHA-256');
    expect(rest).toBe('');
    expect((await user(['hash', '--nt'])).output.split('\n')[2]).toMatch(/^[0-9a-f]{32}$/);
  });

  it('add, passwd, list and remove work on a file, and leave all else in it as it is', async () => {
    writeFileSync(join(folder, 'users'), '# ours\n\nbob certificate:'.concat('ab'.repeat(32), ' bob@example.org\n'), {
      mode: 0o640,
    });
    expect((await user(['add', 'ann', '--file', 'users', '--address', 'ann@example.org'])).code).toBe(0);
    const [, , , first = ''] = text().split('\n');
    expect(first).toMatch(/^ann scrypt:\S+ SCRAM-SHA-256\$\S+ ann@example\.org$/);
    expect((await user(['passwd', 'ann', '--file', 'users'], 'other\n')).code).toBe(0);
    const { users, mistakes } = parseUserFile(text());
    expect(mistakes).toEqual([]);
    expect(await verifyPassword('other', users.find(({ name }) => name === 'ann')?.user.password)).toBe(true);
    expect(users.map(({ name, user: { addresses } }) => [name, ...addresses])).toEqual([
      ['bob', 'bob@example.org'],
      ['ann', 'ann@example.org'],
    ]);
    expect(statSync(join(folder, 'users')).mode & 0o777).toBe(0o640);
    const listed = await user(['list', '--file', 'users']);
    expect(listed.output).toMatch(/^LOGIN +LOGS IN BY +SENDS AS/);
    expect(listed.output).toMatch(/ann +password, SCRAM +ann@example\.org/);
    expect(listed.output).not.toMatch(/scrypt|SCRAM-SHA/);
    expect(JSON.parse((await user(['list', '--file', 'users', '--json'])).output)).toHaveLength(2);
    expect((await user(['remove', 'bob', '--file', 'users'])).code).toBe(0);
    expect(text()).toMatch(/^# ours\n\nann /);
    expect(existsSync(join(folder, 'users.new'))).toBe(false);
  });

  it('add begins a file that only its owner may read, and takes a user without a password', async () => {
    const certificate = 'AB:'.repeat(31).concat('CD');
    expect((await user(['add', 'ann', '--file', 'users', '--no-password', '--certificate', certificate])).code).toBe(0);
    expect(text()).toBe(`ann certificate:${'ab'.repeat(31)}cd\n`);
    expect(statSync(join(folder, 'users')).mode & 0o777).toBe(0o600);
  });

  it.each([
    [['add', 'a b', '--file', 'users']],
    [['add', '#ann', '--file', 'users']],
    [['add', 'ann', '--file', 'users', '--address', 'no-address']],
    [['add', 'ann', '--file', 'users', '--address', 'a@x.test\nroot@x.test']],
    [['add', 'ann', '--file', 'users', '--no-password']],
    [['add', 'ann']],
    [['add', 'ann', '--file', 'none/users']],
    [['passwd', 'ann', '--file', 'users']],
    [['remove', 'ann', '--file', 'users']],
  ])('%j is refused, and leaves no file behind', async (args) => {
    const { code, said } = await user(args);
    expect(code).toBeGreaterThan(0);
    expect(said).toMatch(/^posthorn: \S/);
    expect(existsSync(join(folder, 'users'))).toBe(false);
    expect(existsSync(join(folder, 'users.new'))).toBe(false);
  });

  it('does not write over the change of another, nor over a line that it cannot read', async () => {
    writeFileSync(join(folder, 'users.new'), '');
    expect((await user(['add', 'ann', '--file', 'users'])).said).toContain('another change is under way');
    rmSync(join(folder, 'users.new'));
    writeFileSync(join(folder, 'users'), 'bob swordfish\n');
    const faulty = await user(['add', 'ann', '--file', 'users']);
    expect(faulty.said).toContain('Line 1');
    expect(faulty.said).not.toContain('swordfish');
    expect(text()).toBe('bob swordfish\n');
  });
});
