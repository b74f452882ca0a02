import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { type DnsServer, startDnsServer } from '../dns/dns-server.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const tlsa = { usage: 3, selector: 1, matchingType: 1, data: Buffer.alloc(32, 0xab) };
const zone = {
  'far.test': {
    mx: [
      [10, 'mx.far.test'],
      [20, 'spare.far.test'],
    ] as const,
  },
  'mx.far.test': { a: ['203.0.113.1'] },
  '_25._tcp.mx.far.test': { tlsa: [tlsa] },
  'spare.far.test': { a: ['203.0.113.2'] },
};

/** Asks under a configuration. */
async function explain(domain: string, dns: DnsServer, change: Partial<ConfigInput> = {}, ...more: string[]) {
  const config: ConfigInput = {
    hostname: 'mx.example.org',
    dataDir: join(folder(), 'data'),
    listeners: [{ role: 'mx', host: '127.0.0.1', port: 0 }],
    domains: { 'example.org': { deliver: 'maildir:/nowhere/{local}', mailboxes: '*' } },
    dns: { servers: [dns.address], validating: true },
    ...change,
  };
  writeFileSync(join(folder(), 'posthorn.json'), JSON.stringify(config));
  const terminal = fakeTerminal({ folder: folder() });
  const code = await runCommand(['explain', 'tls', domain, '--config', 'posthorn.json', ...more], terminal);
  return { code, output: terminal.output(), said: terminal.said() };
}

describe('posthorn explain tls', () => {
  it('says how each host is spoken to, and why', async () => {
    await using dns = await startDnsServer({ zone, authentic: true });
    const { code, output } = await explain('far.test', dns, {}, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({
      domain: 'far.test',
      way: 'mx:far.test',
      configured: { level: 'may', raised: true },
      hosts: [
        {
          name: 'mx.far.test',
          addresses: ['203.0.113.1'],
          proven: true,
          tls: 'dane',
          tlsa: { found: 'usable', base: 'mx.far.test', records: [`3 1 1 ${'ab'.repeat(32)}`] },
        },
        { name: 'spare.far.test', tls: 'opportunistic', tlsa: { found: 'absent' } },
      ],
    });
    const text = (await explain('far.test', dns)).output;
    expect(text).toContain('TLS, a certificate that its TLSA records name: the host has TLSA records');
    expect(text).toContain('TLS if it is offered');
    expect(text).toMatch(/MTA-STS +no policy/);
  });

  it('says what holds where nothing is proven, and where the configuration wants more', async () => {
    await using dns = await startDnsServer({ zone });
    expect((await explain('far.test', dns)).output).toMatch(/mx\.far\.test \(203\.0\.113\.1\), which nothing proves/);
    const outboundTls = { domains: { 'far.test': { level: 'dane' } } } as const;
    const { output } = await explain('far.test', dns, { outboundTls });
    expect(output).toContain('no connection: the configuration wants DANE');
  });

  it('says where no other host has the mail, and what is no domain', async () => {
    await using dns = await startDnsServer({ zone });
    expect((await explain('example.org', dns)).output).toContain('its mail goes to no other host');
    expect((await explain('nowhere.test', dns)).output).toContain('does not exist');
    expect(await explain('a..b', dns)).toMatchObject({ code: 2 });
  });
});
