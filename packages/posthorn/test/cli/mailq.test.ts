import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import { startNextHop } from '../mta/next-hop.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { runBuilt } from './running-server.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();

/** Starts a server in a process of its own, for a folder with its configuration. */
async function startServer(change: object = {}): Promise<void> {
  const config = {
    hostname: 'mx.example.org',
    dataDir: 'data',
    listeners: [{ role: 'mx', host: '127.0.0.1', port: 0 }],
    domains: {
      'example.org': { deliver: 'maildir:mail/{local}', mailboxes: ['alice'], aliasFiles: ['aliases'] },
    },
    queue: { retry: ['4h'] },
    ...change,
  };
  writeFileSync(join(folder(), 'posthorn.json'), JSON.stringify(config));
  const server = runBuilt(['serve', '--config', 'posthorn.json'], folder());
  onTestFinished(async () => {
    server.process.kill('SIGKILL');
    await server.ended;
  });
  await server.until(/[Ll]isten\w* on (?:mx )?127\.0\.0\.1:\d+/);
}

/** Runs a command as a program of this host does. */
async function run(program: string, words: readonly string[] = [], input = '') {
  const env = { POSTHORN_CONFIG: join(folder(), 'posthorn.json') };
  const terminal = fakeTerminal({ folder: folder(), env, input });
  const code = await runCommand(words, terminal, program);
  return { code, output: terminal.output(), said: terminal.said() };
}

const send = (address: string) => run('sendmail', ['-f', 'alice@example.org', address], 'Subject: x\n\nHello\n');
const done = { code: 0, output: '', said: '' };

describe('commands of sendmail for a server that runs', () => {
  it('list what waits in its hands, and let it try all but what is on hold', async () => {
    writeFileSync(join(folder(), 'aliases'), '');
    const absent = await startNextHop();
    await absent[Symbol.asyncDispose]();
    await startServer({ routes: [{ domain: '*', to: absent.to }] });
    expect(await send('u@far.example')).toEqual(done);
    expect(await send('held@far.example')).toEqual(done);
    const list = async () => (await run('mailq')).output;
    await expect.poll(list, { timeout: 10_000 }).toMatch(/(?:due in [34]h .*){2}2 messages\n$/s);
    expect((await run('sendmail', ['-bp'])).output).toMatch(/held@far\.example/);
    const words = ['queue', 'hold', '--recipient', 'held@far.example', '--config', join(folder(), 'posthorn.json')];
    expect(await run('posthorn', words)).toMatchObject({ code: 0 });
    await using hop = await startNextHop({}, { port: absent.port });
    expect(await run('sendmail', ['-q'])).toEqual(done);
    await expect.poll(list, { timeout: 10_000 }).toMatch(/held@far\.example .*\n1 message\n$/s);
    expect(hop.taken.map(({ rcpt }) => rcpt.join())).toEqual(['RCPT TO:<u@far.example>']);
  });

  it('let it read its aliases anew, and keep the old ones when the new ones are faulty', async () => {
    const aliases = join(folder(), 'aliases');
    writeFileSync(aliases, 'boss: alice\n');
    await startServer();
    expect(await send('crew@example.org')).toMatchObject({ code: 67 });
    writeFileSync(aliases, 'boss: alice\ncrew: alice\n');
    expect(await run('newaliases')).toEqual(done);
    expect(await send('crew@example.org')).toEqual(done);
    writeFileSync(aliases, 'crew: "alice\n');
    expect(await run('sendmail', ['-bi'])).toMatchObject({ code: 78, said: expect.stringContaining('aliases:1') });
    // The server goes on with what it has, where it is asked without the configuration.
    const env = { POSTHORN_SOCKET: join(folder(), 'data', 'control', 'submit') };
    const terminal = fakeTerminal({ folder: folder(), env, input: 'Subject: x\n\nHello\n' });
    expect(await runCommand(['-f', 'alice@example.org', 'crew@example.org'], terminal, 'sendmail')).toBe(0);
  });
});
