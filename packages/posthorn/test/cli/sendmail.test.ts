import { execFile, spawn } from 'node:child_process';
import { statSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import { parseSendmail } from '../../src/cli/sendmail-options.ts';
import { startNextHop } from '../mta/next-hop.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { startLocalServer } from './local-server.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();

interface Call {
  readonly socket?: string;
  readonly input?: string;
  readonly program?: string;
  readonly config?: string;
}

/** Runs sendmail as a program of this host does. */
async function sendmail(words: readonly string[], { socket, input = '', program = 'sendmail', config }: Call = {}) {
  const env = { ...(socket && { POSTHORN_SOCKET: socket }), ...(config && { POSTHORN_CONFIG: config }) };
  const terminal = fakeTerminal({ folder: folder(), env, input });
  const code = await runCommand(words, terminal, program);
  return { code, output: terminal.output(), said: terminal.said() };
}

describe('sendmail', () => {
  it('SUB-7 takes recipients from the header, completes it, and shows nobody who gets a blind copy', async () => {
    const server = await startLocalServer();
    const input =
      'From root Sat Nov 21 10:00:00 2026\nTo: bob\nBcc: Eve <eve@localhost>\nSubject: from cron\n\nHello\n.\nnot this\n';
    expect(await sendmail(['-t', '-F', 'Cron "Daemon"'], { socket: server.socket, input })).toMatchObject({ code: 0 });
    const user = userInfo().username;
    const [mail = ''] = await server.mail('bob', 1);
    expect(mail).toContain(
      `From: "Cron \\"Daemon\\"" <${user}@example.org>\nTo: bob@example.org\nSubject: from cron\n`,
    );
    expect(mail).toMatch(new RegExp(`^Return-Path: <${user}@example\\.org>\n`));
    expect(mail).toMatch(/\nMessage-ID: <\w+@mx\.example\.org>\n\nHello\n$/);
    const [blind = ''] = await server.mail('eve', 1);
    expect(blind).not.toMatch(/bcc|eve@localhost/i);
  });

  it('reads a lone dot as text with -i, and the words of DSN', async () => {
    const hop = await startNextHop({ extensions: ['DSN'] } as object);
    const server = await startLocalServer({ routes: [{ domain: '*', to: hop.to }] });
    const words = [
      '-i',
      '-f',
      'bob@example.org',
      '-N',
      'success,delay',
      '-R',
      'hdrs',
      '-V',
      'x+1',
      '-oem',
      'u@far.example',
    ];
    expect(await sendmail(words, { socket: server.socket, input: 'Subject: x\n\none\n.\ntwo\n' })).toEqual({
      code: 0,
      output: '',
      said: '',
    });
    await expect.poll(() => hop.taken.length).toBe(1);
    expect(hop.taken[0]?.text).toMatch(/\r\n\r\none\r\n\.+\r\ntwo\r\n/);
    expect(hop.taken[0]?.mail).toContain('MAIL FROM:<bob@example.org>');
    await hop[Symbol.asyncDispose]();
  });

  it.each([
    [['nobody@example.org'], 'Subject: x\n\nx\n', 67],
    [['bob'], 'To: <bad\n\nx\n', 65],
    [['bob'], 'Subject: x\nSubject: y\n\nx\n', 65],
    [['-t'], 'Subject: x\n\nx\n', 64],
    [['-t'], 'To: <bad\n\nx\n', 65],
    [['-bd'], '', 64],
    [['-R', 'some', 'bob'], '', 64],
    [['-f'], '', 64],
  ])('ends %j with the code of sysexits.h', async (words, input, wanted) => {
    const { socket } = await startLocalServer();
    expect(await sendmail(words, { socket, input })).toMatchObject({
      code: wanted,
      said: expect.stringMatching(/^posthorn: ./),
    });
  });

  it('says that it may succeed later when no server runs, in every way that it is called', async () => {
    const socket = join(folder(), 'nothing');
    expect(await sendmail(['bob'], { socket, input: 'x\n' })).toMatchObject({
      code: 75,
      said: expect.stringContaining('name its configuration by -C'),
    });
    expect(await sendmail(['-bs'], { socket })).toMatchObject({
      code: 75,
      output: '421 4.3.2 No server runs here\r\n',
    });
    expect(await sendmail(['sendmail', '-bs'], { socket, program: 'posthorn' })).toMatchObject({ code: 75 });
  });

  it('speaks SMTP with -bs and as posthorn smtp --stdio', async () => {
    const server = await startLocalServer();
    const input =
      'EHLO me.example\r\nMAIL FROM:<bob@example.org>\r\nRCPT TO:<eve@example.org>\r\nDATA\r\nFrom: bob\r\n\r\nHello\r\n.\r\nQUIT\r\n';
    for (const [words, program] of [
      [['-bs'], 'posthorn-sendmail'],
      [['smtp', '--stdio'], 'posthorn'],
    ] as const) {
      const { code, output } = await sendmail(words, { socket: server.socket, input, program });
      expect(code).toBe(0);
      expect(output).toMatch(
        /^220 mx\.example\.org ESMTP ready\r\n250-.*\r\n354 .*\r\n250 2\.0\.0 .*\r\n221 2\.0\.0 .*\r\n$/s,
      );
    }
    const mails = await server.mail('eve', 2);
    for (const mail of mails) expect(mail).toContain('\nFrom: bob@example.org\n');
  });

  it('lists the queue with -bp and as mailq, and tries it with -q', async () => {
    const { config } = await startLocalServer();
    const file = join(folder(), 'posthorn.json');
    const { hostname, dataDir } = config;
    writeFileSync(file, JSON.stringify({ hostname, dataDir: `${dataDir}-none`, listeners: [{ role: 'mx' }] }));
    expect((await sendmail(['-bp'], { config: file })).said).toContain('no spool');
    expect((await sendmail([], { config: file, program: 'mailq' })).said).toContain('no spool');
    expect((await sendmail(['-q'], { config: file })).said).toContain('no spool');
    expect(await sendmail([], { config: file, program: 'newaliases' })).toMatchObject({
      code: 0,
      said: 'No server runs; it reads its aliases when it starts.\n',
    });
  });

  it('shows and tries what a server left behind', async () => {
    const { agent, config, socket } = await startLocalServer({
      routes: [{ domain: '*', to: 'smtp://127.0.0.1:1' }],
      queue: { retry: ['4h'] },
    });
    expect(await sendmail(['u@far.example'], { socket, input: 'Subject: x\n\nx\n' })).toMatchObject({ code: 0 });
    await expect.poll(() => agent.inHand()).toBe(0);
    await agent.close();
    const file = join(folder(), 'posthorn.json');
    writeFileSync(
      file,
      JSON.stringify({ hostname: config.hostname, dataDir: config.dataDir, listeners: [{ role: 'mx' }] }),
    );
    const listed = async (words: readonly string[], program?: string) =>
      (await sendmail(words, { config: file, ...(program === undefined ? {} : { program }) })).output;
    expect(await listed(['-bp'])).toMatch(/u@far\.example .*due in \d+h .*\n1 message\n$/s);
    expect(await sendmail(['-q'], { config: file })).toMatchObject({ code: 0 });
    expect(await listed([], 'mailq')).toMatch(/u@far\.example +due +/);
  });

  it('has a socket that is for the user of the server alone, unless the configuration gives it a place', async () => {
    const own = await startLocalServer();
    expect(statSync(own.socket).mode & 0o777).toBe(0o600);
    const path = join(folder(), 'run', 'submit');
    const open = await startLocalServer({ submission: { socket: path } });
    expect([open.socket, statSync(path).mode & 0o777]).toEqual([path, 0o666]);
  });

  it('reads any words without an exception', () => {
    const word = fc.oneof(
      fc.constantFrom('-t', '-i', '-f', '-fa@b', '-oi', '-bs', '-bp', '-N', 'never', '-q5m', '--', '-', '-ti'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        const options = parseSendmail(words);
        expect(typeof options === 'string' || Array.isArray(options.recipients)).toBe(true);
      }),
    );
    expect(parseSendmail(['-ti', '-fa@b', '-N', 'never', '--', '-x'])).toEqual({
      mode: 'mail',
      fromHeader: true,
      dotIsText: true,
      sender: 'a@b',
      notify: [],
      recipients: ['-x'],
    });
    expect(parseSendmail(['-f', '<>', '-q30m'])).toMatchObject({ sender: '', mode: 'run' });
  });

  it('is what the command is when it is called by that name', async () => {
    const server = await startLocalServer();
    const program = join(import.meta.dirname, '..', '..', 'bin', 'posthorn.js');
    const link = join(folder(), 'sendmail');
    symlinkSync(program, link);
    const child = spawn(process.execPath, [link, '-f', 'bob@example.org', 'eve'], {
      env: { ...process.env, POSTHORN_SOCKET: server.socket },
    });
    child.stdin.end('Subject: linked\n\nHello\n');
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    expect((await server.mail('eve', 1))[0]).toContain('\nSubject: linked\n');
    const version = await new Promise<string>((resolve) =>
      execFile(process.execPath, [program, '--version'], (_, out) => resolve(out)),
    );
    expect(version).toMatch(/^\d/);
  });
});
