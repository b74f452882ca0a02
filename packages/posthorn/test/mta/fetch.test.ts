import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { mailIn, startTestAgent } from './fixture.ts';
import { startNextHop } from './next-hop.ts';
import { leaveMail, secret, secured, startProvider } from './on-demand-agents.ts';
import { tlsIn } from './tls-in.ts';

const dora = '<dora@example.edu>';
const order = 'Subject: order 17\r\n\r\nTwo crates, please.\r\n';

/** A customer with mailboxes for what it fetches. */
function startCustomer(change: (folder: string) => Partial<ConfigInput> = () => ({})) {
  return startTestAgent((folder) => ({
    hostname: 'mail.branch.example.org',
    domains: {
      'branch.example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['ann'] },
      'shop.example.com': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['sales'] },
    },
    ...change(folder),
  }));
}

const asBranch = (port: number, domains: readonly string[] = []) =>
  ({ by: 'atrn', host: '127.0.0.1', port, tls: 'none', user: 'branch', password: secret, domains }) as const;

/** A host that says lines of its own, one for each that comes. */
async function startScript(
  ...lines: string[]
): Promise<{ readonly port: number; readonly heard: string[]; readonly sockets: Socket[] }> {
  const [heard, sockets] = [[], []] as [string[], Socket[]];
  const server = createServer((socket) => {
    sockets.push(socket);
    const left = [...lines];
    socket.on('error', () => {});
    socket.write(`${left.shift()}\r\n`);
    socket.on('data', (octets) => {
      for (const line of octets.toString('latin1').trimEnd().split('\r\n')) {
        heard.push(line);
        const next = left.shift();
        if (next !== undefined) socket.write(`${next}\r\n`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, heard, sockets };
}

describe('fetching mail', () => {
  it('CMD-ATRN-3 CMD-ATRN-5 CMD-AUTH-11 takes what waits into mailboxes, by the rules of any mail', async () => {
    await using provider = await startProvider();
    await using customer = await startCustomer();
    await leaveMail(
      provider,
      { from: dora, to: ['<sales@shop.example.com>', '<gone@shop.example.com>'], text: order },
      { from: dora, to: ['<ann@branch.example.org>'], text: order },
    );
    const tallies: unknown[] = [];
    const result = await customer.agent.fetch(asBranch(provider.odmr), (tally) => tallies.push(tally));
    expect(result).toMatchObject({ kind: 'done', messages: 2, said: [expect.stringMatching(/^250 2\.0\.0 /)] });
    expect(tallies).toEqual([expect.objectContaining({ messages: 2, octets: result.octets })]);
    const [sale] = await mailIn(customer, 'sales', 1);
    expect(sale).toContain('Two crates, please.');
    expect(sale).toMatch(/Received: from odmr\.example\.net \(\[127\.0\.0\.1\]\)/);
    await mailIn(customer, 'ann', 1);
    const [report] = await mailIn(provider, 'dora', 1);
    expect(report).toContain('\nFinal-Recipient: rfc822; gone@shop.example.com\n');
    await expect.poll(() => [provider.agent.sessions(), customer.agent.sessions()]).toEqual([0, 0]);
    await expect.poll(() => provider.agent.store.count()).toBe(0);
  });

  it('CMD-ATRN-3 stays within TLS where the provider has a certificate', async () => {
    await using provider = await startProvider((folder) => ({
      hostname: 'mx.example.test',
      tls: tlsIn(folder),
      listeners: [
        { role: 'mx', host: '127.0.0.1', port: 0 },
        { role: 'odmr', host: '127.0.0.1', port: 0 },
      ],
    }));
    await using customer = await startCustomer((folder) => ({ authorities: tlsIn(folder).cert }));
    await leaveMail(provider, { from: dora, to: ['<ann@branch.example.org>'], text: order });
    const request = { ...asBranch(provider.odmr), tls: 'starttls', password: 'unused' } as const;
    expect(await customer.agent.fetch(request)).toMatchObject({ kind: 'done', messages: 1 });
    const [mail] = await mailIn(customer, 'ann', 1);
    expect(mail).toMatch(/with ESMTPS id /);
  });

  it('EXT-RTLS-2 takes what needs TLS over a connection within TLS, and leaves it where it is over any other', async () => {
    await using provider = await startProvider((folder) => ({
      hostname: 'mx.example.test',
      tls: tlsIn(folder),
      listeners: [
        { role: 'mx', host: '127.0.0.1', port: 0 },
        { role: 'odmr', host: '127.0.0.1', port: 0, mechanisms: ['CRAM-MD5'] },
      ],
    }));
    await using customer = await startCustomer((folder) => ({ authorities: tlsIn(folder).cert }));
    const sender = await secured(provider.port);
    await sender.say(`MAIL FROM:${dora} REQUIRETLS`, 'RCPT TO:<ann@branch.example.org>', 'DATA');
    expect(await sender.say(`${order}.`)).toMatch(/^250 /);
    await expect.poll(() => provider.agent.inHand(), { interval: 5 }).toBe(0);
    const request = asBranch(provider.odmr);
    expect(await customer.agent.fetch(request)).toMatchObject({
      kind: 'empty',
      said: [expect.stringMatching(/^453 /)],
    });
    expect(await customer.agent.fetch({ ...request, tls: 'starttls' })).toMatchObject({ kind: 'done', messages: 1 });
    await mailIn(customer, 'ann', 1);
    await mailIn(provider, 'dora', 0);
    await expect.poll(() => provider.agent.store.count()).toBe(0);
  });

  it('CMD-ATRN-4 CMD-ATRN-9 takes no mail, and a connection without mail, for what they are', async () => {
    await using provider = await startProvider();
    await using customer = await startCustomer();
    expect(await customer.agent.fetch(asBranch(provider.odmr))).toMatchObject({
      kind: 'empty',
      said: [expect.stringMatching(/^453 4\.2\.0 /)],
    });
    expect(await customer.agent.fetch(asBranch(provider.odmr, ['else.example.org']))).toMatchObject({ kind: 'failed' });
    expect(await customer.agent.fetch({ ...asBranch(provider.odmr), password: 'wrong' })).toMatchObject({
      kind: 'refused',
      said: [expect.stringContaining('535')],
    });
    const host = await startScript(
      '220 odmr',
      '250-odmr\r\n250-AUTH CRAM-MD5\r\n250 ATRN',
      '334 PDE+',
      '235 in',
      '250 turning',
      'EHLO odmr',
      'QUIT',
    );
    expect(await customer.agent.fetch(asBranch(host.port))).toMatchObject({ kind: 'empty', messages: 0 });
    expect(host.heard.slice(-3).map((line) => line.slice(0, 4))).toEqual(['250-', '250 ', '221 ']);
  });

  it('CMD-ATRN-8 CMD-ATRN-5 tells of hosts that break off, refuse, or are not there', async () => {
    await using customer = await startCustomer();
    const hello = ['220 odmr', '250-odmr\r\n250-AUTH CRAM-MD5\r\n250 ATRN', '334 PDE+', '235 in'];
    const refusing = await startScript(...hello, '502 5.5.1 no ATRN', '221 bye');
    expect(await customer.agent.fetch(asBranch(refusing.port))).toMatchObject({ kind: 'refused' });
    const later = await startScript('421 later');
    expect(await customer.agent.fetch(asBranch(later.port))).toMatchObject({ kind: 'failed' });
    const cut = await startScript(...hello, '250 turning', 'EHLO odmr', 'MAIL FROM:<a@x.test>');
    const fetching = customer.agent.fetch(asBranch(cut.port));
    await expect.poll(() => cut.heard.some((line) => line.startsWith('250 2.1.0'))).toBe(true);
    for (const socket of cut.sockets) socket.destroy();
    expect(await fetching).toMatchObject({ kind: 'empty', messages: 0 });
    expect(await customer.agent.fetch(asBranch(1))).toMatchObject({ kind: 'failed' });
    const noAuth = await startScript('220 odmr', '250 odmr', '221 bye');
    expect(await customer.agent.fetch(asBranch(noAuth.port))).toMatchObject({ kind: 'refused' });
  });

  it('CMD-ATRN-5 gives the provider no more rights than any host has', async () => {
    await using customer = await startCustomer();
    const hello = ['220 odmr', '250-odmr\r\n250-AUTH CRAM-MD5\r\n250 ATRN', '334 PDE+', '235 in', '250 turning'];
    const host = await startScript(
      ...hello,
      'EHLO odmr',
      'MAIL FROM:<a@x.test>',
      'RCPT TO:<u@far.example>\r\nATRN\r\nTURN\r\nQUIT',
    );
    await customer.agent.fetch(asBranch(host.port));
    expect(host.heard.slice(-4).map((line) => line.slice(0, 9))).toEqual([
      '550 5.7.1',
      '502 5.5.1',
      '502 5.5.1',
      '221 2.0.0',
    ]);
  });

  it('CMD-ATRN-5 does not wait for ever for a provider that turns the connection and never speaks', async () => {
    await using customer = await startCustomer(() => ({ limits: { idleTime: '1s' } }));
    const hello = ['220 odmr', '250-odmr\r\n250-AUTH CRAM-MD5\r\n250 ATRN', '334 PDE+', '235 in'];
    const host = await startScript(...hello, '250 turning');
    expect(await customer.agent.fetch(asBranch(host.port))).toMatchObject({ kind: 'empty', messages: 0 });
    await expect.poll(() => host.heard.at(-1)).toMatch(/^421 4\.4\.2 /);
  });

  it('CMD-ATRN-5 ends with the agent, whatever it is at', async () => {
    const customer = await startCustomer();
    const hello = ['220 odmr', '250-odmr\r\n250-AUTH CRAM-MD5\r\n250 ATRN', '334 PDE+', '235 in'];
    const silent = await startScript(...hello);
    const turned = await startScript(...hello, '250 turning');
    const both = [customer.agent.fetch(asBranch(silent.port)), customer.agent.fetch(asBranch(turned.port))];
    await expect.poll(() => [silent, turned].every(({ heard }) => heard.some((line) => line === 'ATRN'))).toBe(true);
    await customer[Symbol.asyncDispose]();
    expect(await Promise.all(both)).toEqual([
      expect.objectContaining({ messages: 0 }),
      expect.objectContaining({ messages: 0 }),
    ]);
  });

  it('CMD-ETRN-7 asks for no further node when the host does not know ETRN', async () => {
    await using customer = await startCustomer();
    const host = await startScript('220 mx', '250 mx', '251 nothing', '253 three', '500 what', '221 bye');
    const request = { by: 'etrn', host: '127.0.0.1', port: host.port, tls: 'none' } as const;
    const domains = ['a.test', '@b.test', 'c.test', 'd.test'];
    expect(await customer.agent.fetch({ ...request, domains })).toEqual({
      kind: 'refused',
      messages: 0,
      octets: 0,
      said: ['251 nothing', '253 three', '500 what'],
    });
    expect(host.heard.slice(1)).toEqual(['ETRN a.test', 'ETRN @b.test', 'ETRN c.test', 'QUIT']);
  });

  it('CMD-ETRN-2 CMD-ETRN-3 has mail sent to it by ETRN', async () => {
    await using hop = await startNextHop();
    await using provider = await startTestAgent(() => ({
      relayFrom: ['127.0.0.0/8'],
      etrn: { networks: ['127.0.0.1'] },
      domains: { 'branch.example.org': { relay: true } },
      routes: [{ domain: '*', to: hop.to }],
    }));
    await using customer = await startCustomer();
    const result = await customer.agent.fetch({
      by: 'etrn',
      host: '127.0.0.1',
      port: provider.port,
      tls: 'none',
      domains: ['branch.example.org'],
    });
    expect(result).toMatchObject({ kind: 'empty', said: [expect.stringMatching(/^251 /)] });
  });

  it('CMD-ATRN-3 is done at intervals, with a password from a file', async () => {
    await using provider = await startProvider();
    await leaveMail(provider, { from: dora, to: ['<ann@branch.example.org>'], text: order });
    await using customer = await startCustomer((folder) => {
      writeFileSync(join(folder, 'secret'), `${secret}\n`);
      const source = { host: '127.0.0.1', port: provider.odmr, tls: 'none', user: 'branch' } as const;
      return {
        fetch: [
          { name: 'provider', ...source, passwordFile: join(folder, 'secret') },
          { name: 'absent', ...source, passwordFile: join(folder, 'absent') },
        ],
      };
    });
    await mailIn(customer, 'ann', 1);
    await expect.poll(() => customer.log.lines.filter(({ text }) => text === 'mail was asked for')).toHaveLength(1);
    expect(customer.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(JSON.stringify(customer.log.lines)).not.toContain(secret);
  });
});
