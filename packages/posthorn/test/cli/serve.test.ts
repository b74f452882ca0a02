import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import { createControlClient } from '../../src/control/control-client.ts';
import { controlPath } from '../../src/control/control-path.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { type RunningCommand, runBuilt } from './running-server.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const running: RunningCommand[] = [];

function start(...words: string[]): RunningCommand {
  const command = runBuilt(['serve', ...words], folder());
  running.push(command);
  return command;
}

afterEach(async () => {
  for (const command of running.splice(0)) {
    command.process.kill('SIGKILL');
    await command.ended;
  }
});

async function run(...words: string[]) {
  const terminal = fakeTerminal({ folder: folder() });
  const code = await runCommand(words, terminal);
  return { code, output: terminal.output(), said: terminal.said() };
}

/** The text of the address that the server says it listens on. */
async function addressOf(command: RunningCommand): Promise<string> {
  const [, address = ''] = await command.until(/[Ll]isten\w* on (?:mx )?(127\.0\.0\.1:\d+)/);
  return address;
}

function writeConfig(members: object = {}): void {
  const config = {
    hostname: 'mx.example.org',
    dataDir: 'data',
    listeners: [{ role: 'mx', host: '127.0.0.1', port: 0 }],
    domains: { 'example.org': { deliver: 'maildir:mail/{local}', mailboxes: ['alice'] } },
    ...members,
  };
  writeFileSync(join(folder(), 'posthorn.json'), JSON.stringify(config));
}

const message = (address: string, to: string) => [
  'send',
  '--server',
  address,
  '--from',
  'a@x.test',
  '--to',
  to,
  '--text',
  'It works',
];

/** A session by hand. */
function openSession(address: string) {
  const [host = '', port] = address.split(':');
  const socket = connect({ host, port: Number(port) });
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
  });
  socket.on('error', () => {});
  return {
    heard: () => heard,
    send: (text: string) => socket.write(text),
    until: (pattern: RegExp) =>
      new Promise<void>((resolve) => {
        const look = () => pattern.test(heard) && resolve();
        socket.on('data', look);
        look();
      }),
  };
}

describe('serve without a configuration', () => {
  it('takes mail for any address into a Maildir, says how to send and where to read, and does what it says', async () => {
    const server = start('--listen', '127.0.0.1:0');
    const address = await addressOf(server);
    const [, words = ''] = await server.until(/npx posthorn (send .*)/);
    const sending = words.replace(/'([^']*)'/g, (_, quoted: string) => quoted.replaceAll(' ', '\u00a0')).split(' ');
    expect(await run(...sending.map((word) => word.replaceAll('\u00a0', ' ')))).toMatchObject({ code: 0 });
    await server.until(/delivered/);
    const [, mail = ''] = await server.until(/cat (\S+)\/new\/\*/);
    const [name = ''] = readdirSync(join(folder(), mail, 'new'));
    expect(readFileSync(join(folder(), mail, 'new', name), 'utf8')).toMatch(/Subject: Hello\r?\n[\s\S]*It works/);
    expect(server.output()).toContain(address);
  });

  it('keeps all it writes in one folder of the folder it was started in', async () => {
    await addressOf(start('--listen', '127.0.0.1:0'));
    expect(readdirSync(folder())).toEqual(['.posthorn']);
  });

  it('says goodbye to its sessions and ends with 0 at SIGTERM, SIGINT or SIGHUP', async () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      const server = start('--listen', '127.0.0.1:0');
      const session = openSession(await addressOf(server));
      await session.until(/^220 /);
      server.process.kill(signal);
      await session.until(/\r\n421 4\.3\.2 /);
      expect(await server.ended).toBe(0);
    }
  });

  it('ends at once when it is told a second time, though a message is on its way', async () => {
    const server = start('--listen', '127.0.0.1:0');
    const address = await addressOf(server);
    const idle = openSession(address);
    const busy = openSession(address);
    busy.send('EHLO me.test\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n');
    await Promise.all([idle.until(/^220 /), busy.until(/\r\n354 /)]);
    server.process.kill('SIGINT');
    await idle.until(/\r\n421 /);
    server.process.kill('SIGINT');
    expect(await server.ended).toBe(1);
    expect(busy.heard()).not.toMatch(/\r\n421 /);
  });

  it('says what to do when its address is taken', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
    });
    const server = start('--listen', `127.0.0.1:${port}`);
    expect(await server.ended).toBe(1);
    expect(server.log()).toBe(`posthorn: 127.0.0.1:${port} is in use. Stop what listens there, or listen elsewhere.\n`);
    await new Promise((resolve) => other.close(resolve));
  });

  it('runs once for a folder', async () => {
    await addressOf(start('--listen', '127.0.0.1:0'));
    const second = start('--listen', '127.0.0.1:0');
    expect(await second.ended).toBe(1);
    expect(second.log()).toMatch(/^posthorn: The spool at .* is in use by process \d+/);
  });

  it('lets the queue be worked on while it runs and afterwards', async () => {
    const server = start('--listen', '127.0.0.1:0');
    const address = await addressOf(server);
    expect(await run(...message(address, 'b@y.test'))).toMatchObject({ code: 0 });
    await server.until(/delivered/);
    expect(await run('queue', 'list')).toMatchObject({ code: 0, output: 'The queue is empty.\n' });
    server.process.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    expect(existsSync(controlPath(join(folder(), '.posthorn')))).toBe(false);
    expect(await run('queue', 'list')).toMatchObject({ code: 0, output: 'The queue is empty.\n' });
  });
});

describe('serve with a configuration', () => {
  it('names all its mistakes and ends with 1', async () => {
    writeConfig({ hostname: 'x', domains: 5 });
    const server = start('--config', 'posthorn.json');
    expect(await server.ended).toBe(1);
    expect(server.log()).toMatch(/2 mistakes[\s\S]*posthorn\.json:1: hostname [\s\S]*posthorn\.json:1: domains /);
  });

  it('reads it anew when it is asked to, keeps the old one when the new one is faulty', async () => {
    writeConfig();
    const server = start('--config', 'posthorn.json');
    const address = await addressOf(server);
    expect(await run(...message(address, 'bob@example.org'))).toMatchObject({ code: 1 });
    writeConfig({
      domains: { 'example.org': { deliver: 'maildir:mail/{local}', mailboxes: ['alice', 'bob'] } },
      hostname: 'mx2.example.org',
    });
    const reloaded = await run('reload', '--config', 'posthorn.json');
    expect(reloaded).toEqual({ code: 0, said: '', output: 'Reloaded. A restart is needed for: hostname.\n' });
    expect(await run(...message(address, 'bob@example.org'))).toMatchObject({ code: 0 });

    writeConfig({ domains: { 'example.org': { deliver: 'nowhere', mailboxes: [] } } });
    expect(await run('reload', '--config', 'posthorn.json')).toMatchObject({
      code: 1,
      said: expect.stringContaining('deliver'),
    });
    expect(await createControlClient(controlPath(join(folder(), 'data'))).reload()).toMatchObject({ kind: 'refused' });
    server.process.kill('SIGHUP');
    await server.until(/the configuration is not taken over/);
    expect(await run(...message(address, 'bob@example.org'))).toMatchObject({ code: 0 });

    writeConfig({ domains: { 'example.org': { deliver: 'maildir:mail/{local}', mailboxes: ['alice'] } } });
    server.process.kill('SIGHUP');
    await server.until(/reloaded/);
    expect(await run(...message(address, 'bob@example.org'))).toMatchObject({ code: 1 });
  });

  it('says that no server runs when there is none to reload', async () => {
    writeConfig();
    expect(await run('reload', '--config', 'posthorn.json')).toMatchObject({
      code: 1,
      said: expect.stringContaining('Start it with `posthorn serve`.'),
    });
  });

  it('logs in one line an event, the queue id first', async () => {
    writeConfig();
    const server = start('--config', 'posthorn.json', '--log', 'text');
    const address = await addressOf(server);
    expect(await run(...message(address, 'alice@example.org'))).toMatchObject({ code: 0 });
    await server.until(/delivered/);
    expect(server.log()).toMatch(/^\d\d:\d\d:\d\d queued id=\w+ from=a@x\.test size=\d+ client=127\.0\.0\.1$/m);
    expect(server.log()).toMatch(/^\d\d:\d\d:\d\d delivered id=\w+ to=alice@example\.org /m);
  });
});
