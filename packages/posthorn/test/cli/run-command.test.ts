import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import { verifyPassword } from '../../src/config/password.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();

describe('the command line', () => {
  it.each([[['--version']], [['--help']], [['send', '--help']], [['queue', '--help']], [['queue', 'retry', '--help']]])(
    'helps with %j, and that is no failure',
    async (words) => {
      const terminal = fakeTerminal();
      expect(await runCommand(words, terminal)).toBe(0);
      expect(terminal.output()).not.toBe('');
    },
  );

  it.each([
    [['nothing']],
    [['serve', '--nothing']],
    [['serve', '--listen', 'x:y:z']],
    [['serve', '--log', 'loud', '--listen', '127.0.0.1:0']],
    [['check']],
    [['send', '--server', 'x', '--from', 'a@x.test']],
    [['send', '--server', 'x y', '--from', 'a@x.test', '--to', 'b@x.test', '--text', 'x']],
    [['send', '--server', 'x', '--from', 'a@x.test', '--to', 'b@x.test']],
    [['send', '--server', 'x', '--from', 'a@x.test', '--to', 'b@x.test', '--text', 'x', '--data', '-']],
    [['send', '--server', 'x', '--from', 'a@x.test', '--to', 'b@x.test', '--text', 'x', '--tls', 'perhaps']],
    [['send', '--server', 'x', '--from', 'a@x.test', '--to', 'b@x.test', '--text', 'x', '--user', 'me']],
    [['queue', 'delete']],
    [['queue', 'delete', 'id', '--all']],
    [['queue', 'list', '--limit', 'many']],
    [['queue', 'explode']],
    [['reload']],
    [['user', 'hash', 'a-password-in-the-arguments']],
  ])('ends %j with 2 and says what is wrong', async (words) => {
    const terminal = fakeTerminal();
    expect(await runCommand(words, terminal)).toBe(2);
    expect(terminal.said()).not.toBe('');
    expect(terminal.output()).toBe('');
  });

  it('suggests the command that was meant', async () => {
    const terminal = fakeTerminal();
    await runCommand(['serv'], terminal);
    expect(terminal.said()).toContain('Did you mean serve?');
  });
});

describe('check', () => {
  const good = { hostname: 'mx.example.org', dataDir: 'data', listeners: [{ role: 'mx' }] };

  it('says that there are no mistakes', async () => {
    writeFileSync(join(folder(), 'good.json'), JSON.stringify(good));
    const terminal = fakeTerminal({ folder: folder() });
    expect(await runCommand(['check', '--config', 'good.json'], terminal)).toBe(0);
    expect(terminal.output()).toBe('good.json has no mistakes.\n');
  });

  it('names all mistakes with their place, one a line, and ends with 1', async () => {
    writeFileSync(join(folder(), 'bad.json'), JSON.stringify({ ...good, hostname: 'x', port: 25 }, undefined, 1));
    const terminal = fakeTerminal({ folder: folder() });
    expect(await runCommand(['check', '-c', 'bad.json'], terminal)).toBe(1);
    expect(terminal.said().split('\n')).toEqual([
      'posthorn: 2 mistakes in the configuration:',
      expect.stringMatching(/^bad\.json:2: hostname must be a full host name/),
      expect.stringMatching(/^bad\.json:9: port is not known here/),
      '',
    ]);
  });

  it('writes them as JSON for programs', async () => {
    writeFileSync(join(folder(), 'bad.json'), JSON.stringify({ ...good, hostname: 'x' }));
    const terminal = fakeTerminal({ folder: folder() });
    expect(await runCommand(['check', '-c', 'bad.json', '--json'], terminal)).toBe(1);
    expect(JSON.parse(terminal.output())).toMatchObject({ ok: false, mistakes: [{ path: 'hostname', line: 1 }] });
    writeFileSync(join(folder(), 'good.json'), JSON.stringify(good));
    const other = fakeTerminal({ folder: folder() });
    expect(await runCommand(['check', '-c', 'good.json', '--json'], other)).toBe(0);
    expect(JSON.parse(other.output())).toEqual({ ok: true, mistakes: [] });
  });
});

describe('user hash', () => {
  it('reads a password from a program and prints its hash', async () => {
    const terminal = fakeTerminal({ input: 'correct horse\nand more' });
    expect(await runCommand(['user', 'hash'], terminal)).toBe(0);
    expect(await verifyPassword('correct horse', terminal.output().split('\n')[0])).toBe(true);
    expect(terminal.output() + terminal.said()).not.toContain('horse');
  });

  it.each([[''], ['\n'], ['x'.repeat(5000)]])('refuses an empty password and one without end', async (input) => {
    const terminal = fakeTerminal({ input });
    expect(await runCommand(['user', 'hash'], terminal)).toBe(1);
    expect(terminal.said()).toMatch(/^posthorn: \w/);
  });

  /** A person who types; returns when the command is over. */
  async function typing(...answers: string[]) {
    const terminal = fakeTerminal();
    const raw: boolean[] = [];
    Object.assign(terminal.stdin, { isTTY: true, setRawMode: (on: boolean) => raw.push(on) });
    let asked = 0;
    const typed = {
      ...terminal,
      say: (text: string) => {
        terminal.say(text);
        if (text.endsWith(': ')) setImmediate(() => terminal.stdin.write(answers[asked++] ?? ''));
      },
    };
    return { code: await runCommand(['user', 'hash'], typed), terminal, raw };
  }

  it('asks a person twice, shows nothing of what is typed, and minds the backspace key', async () => {
    const { code, terminal, raw } = await typing('secrex\u007ft\r', 'secret\r');
    expect(code).toBe(0);
    expect(await verifyPassword('secret', terminal.output().split('\n')[0])).toBe(true);
    expect(terminal.said()).toBe('Password: \nOnce more: \n');
    expect(raw).toEqual([true, false, true, false]);
  });

  it('ends with 1 when the two differ, or Ctrl-C is pressed', async () => {
    const differing = await typing('secret\r', 'other\r');
    expect(differing.code).toBe(1);
    expect(differing.terminal.said()).toContain('not the same');
    const { code, raw } = await typing('sec\u0003');
    expect(code).toBe(1);
    expect(raw).toEqual([true, false]);
  });
});
