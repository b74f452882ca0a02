import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reply } from '@posthorn/smtp/reply/reply';
import { createServer } from '@posthorn/smtp/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function check(...words: string[]) {
  const terminal = fakeTerminal();
  const code = await runCommand(['check', '--open-relay', ...words], terminal);
  return { code, output: terminal.output(), said: terminal.said() };
}

const folderOf = temporaryFolder();

async function checkConfig(change: Partial<ConfigInput>) {
  const folder = folderOf();
  const file = join(folder, 'posthorn.json');
  const deliver = `maildir:${folder}/{domain}/{local}`;
  const config: ConfigInput = {
    hostname: 'mx.example.org',
    dataDir: join(folder, 'data'),
    listeners: [{ role: 'mx' }, { role: 'lmtp', port: 24 }],
    domains: {
      'example.org': { deliver, mailboxes: ['alice'] },
      'example.com': { deliver, mailboxes: '*' },
      'example.net': { relay: true },
    },
    routes: [{ domain: '*', to: 'smtp://127.0.0.1:9' }],
    ...change,
  };
  await writeFile(file, JSON.stringify(config));
  return check('--config', file, '--json');
}

/** A host that lets through whom it is told to, and counts texts. */
async function startHost(isTaken: (localPart: string, domain: string) => boolean) {
  const seen = { messages: 0 };
  const server = createServer({
    hostname: 'mx.example.test',
    handlers: {
      recipient: (_session, { mailbox: { localPart, domain } }) =>
        isTaken(localPart, domain) ? undefined : reply(550, '5.7.1', 'No'),
      async message() {
        seen.messages += 1;
        return reply(250, '2.0.0', 'Ok');
      },
    },
  });
  onTestFinished(() => server.close({ grace: 0 }));
  const address = await server.listen({ role: 'mx', host: '127.0.0.1', port: 0 });
  return { seen, server: 'port' in address ? `127.0.0.1:${address.port}` : '' };
}

interface Found {
  readonly ok: boolean;
  readonly trials: readonly {
    readonly role: string;
    readonly domain: string;
    readonly tricks: readonly { readonly name: string; readonly to: string; readonly verdict: string }[];
  }[];
}

const verdicts = ({ trials }: Found, domain: string) =>
  new Set(
    trials.filter((trial) => trial.domain === domain).flatMap(({ tricks }) => tricks.map((each) => each.verdict)),
  );

describe('posthorn check --open-relay', () => {
  it('SEC-2505 CMD-RCPT-4 ADR-10 finds no trick with which a stranger sends through a usual configuration', async () => {
    const { code, output } = await checkConfig({ relayFrom: ['127.0.0.0/8', '10.0.0.0/8', '::1'] });
    const found: Found = JSON.parse(output);
    expect(code).toBe(0);
    expect(found.ok).toBe(true);
    expect(new Set(found.trials.map(({ role }) => role))).toEqual(new Set(['mx', 'lmtp']));
    expect(verdicts(found, 'example.org')).toEqual(new Set(['refused']));
    // Names of a domain that is relayed are taken, but none that would be sent on from there.
    const relayed = found.trials.filter(({ domain }) => domain === 'example.net').flatMap(({ tricks }) => tricks);
    const taken = relayed.filter(({ verdict }) => verdict === 'local').map(({ to }) => to);
    expect(taken.length).toBeGreaterThan(0);
    expect(taken.filter((to) => /[%!].*@|@.*@/.test(to.replace('%40', '')))).toEqual([]);
    expect(verdicts(found, 'example.com')).toEqual(new Set(['refused', 'local']));
  }, 30_000);

  it('SEC-2505 calls a configuration that lets everybody in what it is', async () => {
    const { code, output, said } = await checkConfig({
      relayFrom: ['0.0.0.0/0', '::/0'],
      iKnowThisIsAnOpenRelay: true,
    });
    expect(code).toBe(1);
    expect(said).toContain('open relay');
    expect(verdicts(JSON.parse(output), 'example.org')).toContain('relays');
  }, 30_000);

  it('SEC-2505 tries a running server from here, and sends it no text', async () => {
    const { server, seen } = await startHost((_local, domain) => domain === 'example.test');
    const { code, output } = await check('--server', server, '--domain', 'example.test');
    expect(output).toContain('No trick makes it relay');
    expect(code).toBe(0);
    expect(seen.messages).toBe(0);
  });

  it.each([
    ['a percent sign', (local: string, domain: string) => domain === 'example.test' && local.includes('%')],
    ['an at sign in quotes', (local: string) => local.includes('@')],
    ['a bang path', (local: string) => local.startsWith('example.net!')],
    ['an IPv6 literal', (_local: string, domain: string) => domain.startsWith('[IPv6:2001')],
    ['a source route', (_local: string, domain: string) => domain === 'example.net'],
  ])('SEC-2505 finds the hole of a server that falls for %s', async (name, isTaken) => {
    const { server } = await startHost(isTaken);
    const { code, output } = await check('--server', server, '--domain', 'example.test', '--json');
    expect(code).toBe(1);
    const [trial] = (JSON.parse(output) as Found).trials;
    expect(trial?.tricks.filter(({ verdict }) => verdict === 'relays').map((each) => each.name)).toContain(name);
  });

  it('says that nothing was found out where all is put off, and what is missing', async () => {
    const server = createServer({
      hostname: 'mx.example.test',
      handlers: { recipient: () => reply(450, '4.7.1', 'Later'), message: async () => reply(250, '2.0.0', 'Ok') },
    });
    onTestFinished(() => server.close({ grace: 0 }));
    const address = await server.listen({ role: 'mx', host: '127.0.0.1', port: 0 });
    const { code } = await check('--server', 'port' in address ? `127.0.0.1:${address.port}` : '', '--json');
    expect(code).toBe(75);
    expect((await check()).code).toBe(2);
    expect((await check('--server', 'no such:thing:at all')).code).toBe(2);
  });
});
