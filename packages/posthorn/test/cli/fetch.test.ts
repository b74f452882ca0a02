import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import { controlPath } from '../../src/control/control-path.ts';
import { startControl } from '../../src/control/control-server.ts';
import { createFetchJobs } from '../../src/control/fetch-jobs.ts';
import { startAgent } from '../../src/mta/start-agent.ts';
import { configOf, memoryLog, startTestAgent } from '../mta/fixture.ts';
import { leaveMail, secret, startProvider } from '../mta/on-demand-agents.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const dora = '<dora@example.edu>';

interface Setting {
  readonly port: number;
  readonly fetch?: readonly object[];
}

/** Writes the configuration of a customer, and gives it. */
function configure({ port, fetch = [] }: Setting) {
  const input = {
    hostname: 'mail.branch.example.org',
    dataDir: join(folder(), 'data'),
    listeners: [{ role: 'mx', host: '127.0.0.1', port: 0 }],
    domains: { 'branch.example.org': { deliver: `maildir:${folder()}/mail/{local}`, mailboxes: ['ann'] } },
    fetch: fetch.map((source) => ({ host: '127.0.0.1', port, tls: 'none', user: 'branch', ...source })),
  };
  mkdirSync(folder(), { recursive: true });
  writeFileSync(join(folder(), 'posthorn.json'), JSON.stringify(input));
  writeFileSync(join(folder(), 'secret'), `${secret}\n`);
  return configOf(input);
}

async function run(words: readonly string[], settings: { input?: string; tty?: boolean } = {}) {
  const terminal = fakeTerminal({ folder: folder(), env: { SECRET: secret }, ...settings });
  if (settings.tty) terminal.stdin.isTTY = true;
  const code = await runCommand(['fetch', ...words, '--config', 'posthorn.json'], terminal);
  return { code, output: terminal.output(), said: terminal.said() };
}

function mailOfAnn(): number {
  try {
    return readdirSync(join(folder(), 'mail', 'ann', 'new')).length;
  } catch {
    return 0;
  }
}

const fromProvider = (port: number) => ['--server', `127.0.0.1:${port}`, '--user', 'branch', '--tls', 'none'];

describe('posthorn fetch', () => {
  it('CMD-ATRN-3 CMD-ATRN-4 CMD-ATRN-9 fetches mail into mailboxes although no server runs, and tells when there is none', async () => {
    await using provider = await startProvider();
    configure({ port: provider.odmr });
    await leaveMail(provider, { from: dora, to: ['<ann@branch.example.org>'] });
    const words = [...fromProvider(provider.odmr), '--password-file', 'secret', '--domains', 'branch.example.org'];
    const fetched = await run(words);
    expect(fetched).toMatchObject({ code: 0, said: '' });
    expect(fetched.output).toMatch(/^1 message from 127\.0\.0\.1:\d+, \d+ octets\.\n$/);
    expect(mailOfAnn()).toBe(1);
    expect(await run(words)).toMatchObject({ code: 0, output: expect.stringContaining('has no mail.') });
  });

  it('CMD-ATRN-3 has the running server fetch it, with the entries of its configuration', async () => {
    await using provider = await startProvider();
    await leaveMail(provider, { from: dora, to: ['<ann@branch.example.org>'] });
    const config = configure({
      port: provider.odmr,
      fetch: [
        { name: 'provider', password: secret },
        { name: 'other', password: 'wrong' },
      ],
    });
    await using agent = await startAgent({ config: { ...config, fetch: [] }, log: memoryLog() });
    const control = await startControl(controlPath(config.dataDir), {
      queue: { list: () => agent.store.list(), get: (id) => agent.store.get(id), act: async () => 'absent' },
      reload: async () => ({ kind: 'refused', mistakes: [] }),
      status: () => ({ pid: 0, startedAt: 0, listeners: [], messages: 0, inHand: 0, sessions: 0 }),
      fetch: createFetchJobs(agent.fetch),
    });
    try {
      const one = await run(['provider', '--json']);
      expect(one.code).toBe(0);
      expect(JSON.parse(one.output)).toMatchObject({ name: 'provider', kind: 'done', messages: 1 });
      await expect.poll(mailOfAnn).toBe(1);
      const all = await run([]);
      expect(all.code).toBe(1);
      expect(all.output).toMatch(/^provider has no mail\.\nother gives no mail:\n.*535/);
      expect(all.output + all.said).not.toContain(secret);
    } finally {
      await control.close();
    }
  });

  it('CMD-ETRN-5 CMD-ETRN-7 asks for mail by ETRN, and shows what is answered', async () => {
    await using provider = await startTestAgent(() => ({
      etrn: { networks: ['127.0.0.1'] },
      domains: { 'branch.example.org': { relay: true } },
    }));
    configure({ port: provider.port });
    const ask = (...nodes: string[]) => run(['--server', `127.0.0.1:${provider.port}`, '--etrn', ...nodes]);
    expect(await ask('branch.example.org')).toMatchObject({ code: 0, output: expect.stringContaining('  251 2.0.0 ') });
    expect(await ask('else.example.org')).toMatchObject({ code: 75, output: expect.stringContaining('  459 4.7.1 ') });
    expect(await ask('localname')).toMatchObject({ code: 1, output: expect.stringContaining('ETRN takes no') });
  });

  it('CMD-ATRN-4 ends with codes that tell whether trying again may help', async () => {
    await using provider = await startProvider();
    configure({ port: provider.odmr });
    const from = fromProvider(provider.odmr);
    expect(await run([...from, '--password-env', 'SECRET', '--domains', 'else.example.org'])).toMatchObject({
      code: 75,
    });
    expect(await run([...fromProvider(1), '--password-env', 'SECRET'])).toMatchObject({ code: 75 });
    expect(await run([...from, '--password-env', 'SECRET', '--turn'])).toMatchObject({ code: 1 });
    expect(await run(from, { input: `${secret}\n`, tty: true })).toMatchObject({
      code: 0,
      output: expect.stringContaining('has no mail.'),
    });
  });

  it('CMD-ATRN-2 refuses words that make no sense, and says which', async () => {
    configure({ port: 1 });
    for (const words of [
      [],
      ['nobody'],
      ['--server', 'x'],
      ['--server', '/socket', '--user', 'x'],
      ['--server', 'x', '--user', 'x'],
      ['--server', 'x', '--turn', '--domains', 'a.test'],
      ['--server', 'x', '--etrn', 'a.test', '--turn'],
      ['name', '--server', 'x'],
    ]) {
      expect(await run(words), words.join(' ')).toMatchObject({ code: 2, said: expect.stringMatching(/\S/) });
    }
  });
});
