import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { startDnsServer } from '../dns/dns-server.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();

async function trace(change: Partial<ConfigInput>, ...words: string[]) {
  const config: ConfigInput = {
    hostname: 'mx.example.org',
    dataDir: 'data',
    listeners: [{ role: 'mx' }],
    domains: {
      'example.org': {
        deliver: 'maildir:/var/mail/{local}',
        mailboxes: ['alice', 'bob'],
        mailboxSettings: { alice: { fullName: 'Alice Smith', quota: 1000 }, bob: { disabled: true } },
        aliases: {
          team: ['alice', 'x@far.example', '/var/mail/team'],
          'owner-crew': ['alice'],
          crew: ['alice'],
          off: ['bob'],
        },
        forwards: { joe: { to: 'joe@far.example', mode: 'tell' } },
      },
    },
    ...change,
  };
  writeFileSync(join(folder(), 'config.json'), JSON.stringify(config));
  const terminal = fakeTerminal({ folder: folder() });
  const code = await runCommand(['directory', '--config', 'config.json', ...words], terminal);
  return { code, output: terminal.output(), said: terminal.said() };
}

describe('posthorn directory', () => {
  it('says who addresses are, whom they stand for and where their mail goes, hosts and all', async () => {
    await using dns = await startDnsServer({
      zone: {
        'far.example': { mx: [[10, 'mx.far.example']] },
        'mx.far.example': { a: ['192.0.2.7'] },
      },
    });
    const { code, output } = await trace(
      { dns: { servers: [dns.address] } },
      'alice+x@example.org',
      'team@example.org',
      'joe@example.org',
    );
    expect(output).toBe(
      [
        'alice+x@example.org: the mailbox alice@example.org, of Alice Smith, 1000 octets at most',
        '  alice+x@example.org -> maildir:/var/mail/alice',
        'team@example.org: the alias team@example.org',
        '  alice@example.org -> maildir:/var/mail/alice',
        '  x@far.example -> mx:far.example',
        '    mx.far.example 192.0.2.7',
        '  team@example.org -> mbox:/var/mail/team',
        'joe@example.org: joe@example.org, who moved to joe@far.example (tell)',
        '  joe@far.example -> mx:far.example',
        '    mx.far.example 192.0.2.7',
        '',
      ].join('\n'),
    );
    expect(code).toBe(0);
  });

  it('ends with 1 when somebody is nobody, and shows what goes on with another sender', async () => {
    const { code, output } = await trace({}, 'crew@example.org', 'off@example.org', 'nobody@example.org', 'no address');
    expect(output).toBe(
      [
        'crew@example.org: the alias crew@example.org',
        '  crew@example.org -> resend:crew@example.org',
        '    alice@example.org -> maildir:/var/mail/alice',
        'off@example.org: the alias off@example.org',
        '  bob@example.org -> nowhere:5.2.1 The mailbox takes no mail: 5.2.1 The mailbox takes no mail',
        'nobody@example.org: nobody here',
        'no address: no address',
        '',
      ].join('\n'),
    );
    expect(code).toBe(1);
  });

  it('writes JSON for programs, without passwords, and ends with 75 when the DNS cannot tell now', async () => {
    await using dns = await startDnsServer({ trouble: () => [] });
    const secret = 'smtp://me:secret@[127.0.0.1]:587';
    const routes = [{ domain: 'safe.example', to: secret }];
    const servers = { servers: [dns.address] };
    const { code, output } = await trace({ routes, dns: servers }, '--json', 'a@safe.example');
    const traced = JSON.parse(output);
    expect(traced).toMatchObject({
      address: 'a@safe.example',
      entry: { kind: 'foreign' },
      result: 'ok',
      ways: [{ kind: 'smtp', hosts: [{ name: '[127.0.0.1]' }] }],
    });
    expect(output).not.toContain('secret');
    expect(code).toBe(0);
    const late = await trace({ dns: servers }, '--json', 'a@far.example');
    expect(JSON.parse(late.output)).toMatchObject({ result: 'deferred', ways: [{ obstacle: { kind: 'deferred' } }] });
    expect(late.code).toBe(75);
  }, 60_000);
});
