import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Connection, openConnection } from '@posthorn/smtp/client/open-connection';
import { describe, expect, it } from 'vitest';
import { mailIn, startTestAgent } from '../../packages/posthorn/test/mta/fixture.ts';
import { leaveMail, secret, startProvider } from '../../packages/posthorn/test/mta/on-demand-agents.ts';
import { startCapture } from './peers/capture.ts';
import { startExim } from './peers/exim.ts';
import { fetchmail } from './peers/fetchmail.ts';
import { freePort, hasPeers, program } from './peers/peer.ts';
import { startPostfix } from './peers/postfix.ts';

const dora = '<dora@example.edu>';
const order = 'Subject: order 17\r\n\r\nTwo crates, please.\r\n';
const late = '1000s';

/** A customer with a mailbox for ann. */
function startCustomer() {
  return startTestAgent((folder) => ({
    hostname: 'mail.branch.example.org',
    domains: { 'branch.example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['ann'] } },
  }));
}

function connectTo(port: number): Promise<Connection> {
  return openConnection({ host: '127.0.0.1', port, tls: 'none', name: 'client.example' });
}

async function leaveAt(connection: Connection, to: string): Promise<void> {
  const { ok } = await connection.send({ envelope: { from: 'ann@example.com', to: [to] }, text: order });
  expect(ok).toBe(true);
}

/** Files below a folder. */
function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

describe('Posthorn asks for mail', () => {
  it.skipIf(!hasPeers('postfix'))(
    'CMD-ETRN-1 CMD-ETRN-3 CMD-ETRN-5 REP-458/459 of Postfix, which sends it at once, and for no domain but those that it keeps mail for',
    { timeout: 60_000 },
    async () => {
      const port = await freePort();
      await using postfix = await startPostfix({
        relayTo: port,
        settings: {
          relay_domains: 'far.example',
          relay_transport: 'smtp',
          fast_flush_domains: '$relay_domains',
          minimal_backoff_time: late,
          maximal_backoff_time: late,
          queue_run_delay: late,
        },
      });
      await using connection = await connectTo(postfix.port);
      await leaveAt(connection, 'carl@far.example');
      const deferred = () => filesIn(join(postfix.folder, 'queue', 'deferred')).length;
      await expect.poll(deferred, { timeout: 20_000 }).toBe(1);
      await using capture = await startCapture({ port });
      expect(await connection.etrn('near.example')).toMatchObject({ code: 459 });
      expect(await connection.etrn('far.example')).toMatchObject({ code: 250 });
      expect(await capture.waitFor(1)).toHaveLength(1);
    },
  );

  it.skipIf(!hasPeers('exim4'))(
    'CMD-ETRN-1 CMD-ETRN-3 CMD-ETRN-7 of Exim, which begins at once for who may ask',
    { timeout: 60_000 },
    async () => {
      // A file stands for the queue runner, which the user that Exim runs as here could not begin.
      const settings = 'acl_smtp_etrn = may_start\nsmtp_etrn_command = /usr/bin/touch $spool_directory/started\n';
      const acl = `may_start:\n  deny condition = \${if !eq{$smtp_command_argument}{far.example}}\n  accept\n`;
      await using exim = await startExim({ relayTo: await freePort(), settings, acl });
      await using connection = await connectTo(exim.port);
      expect(connection.capabilities.offered.has('ETRN')).toBe(true);
      expect((await connection.etrn('near.example')).code).toBeGreaterThanOrEqual(400);
      expect(await connection.etrn('far.example')).toMatchObject({ code: 250 });
      const started = () => filesIn(join(exim.folder, 'spool')).filter((name) => name === 'started');
      await expect.poll(started, { timeout: 20_000 }).toEqual(['started']);
    },
  );
});

describe('Posthorn is asked for mail', () => {
  it.skipIf(!hasPeers('fetchmail'))(
    'CMD-ATRN-1 CMD-ATRN-3 CMD-ATRN-4 CMD-ATRN-5 CMD-AUTH-11 by fetchmail, by ATRN',
    { timeout: 60_000 },
    async () => {
      await using provider = await startProvider();
      await using customer = await startCustomer();
      await leaveMail(provider, { from: dora, to: ['<ann@branch.example.org>'], text: order });
      const line =
        `poll 127.0.0.1 service ${provider.odmr} protocol ODMR auth cram-md5 user "branch" password "${secret}" ` +
        `fetchdomains branch.example.org smtphost 127.0.0.1/${customer.port}`;
      const fetched = await fetchmail(line);
      expect(fetched.output).toContain('250 2.0.0 Ok: queued as ');
      const [mail] = await mailIn(customer, 'ann', 1);
      expect(mail).toContain('Two crates, please.');
      await expect.poll(() => provider.agent.store.count()).toBe(0);
      expect((await fetchmail(line)).output).toContain('453 4.2.0 You have no mail');
      expect((await fetchmail(line.replace(secret, 'wrong'))).output).toContain('535 5.7.8');
      expect((await fetchmail(line.replace('branch.example.org', 'else.example.org'))).output).toContain('450 4.7.1');
    },
  );

  it.skipIf(!hasPeers('fetchmail'))(
    'CMD-ETRN-1 CMD-ETRN-2 CMD-ETRN-3 CMD-ETRN-5 by fetchmail, by ETRN',
    { timeout: 60_000 },
    async () => {
      const port = await freePort();
      await using provider = await startTestAgent(() => ({
        etrn: { networks: ['127.0.0.1'] },
        domains: { 'branch.example.org': { relay: true } },
        routes: [{ domain: '*', to: `smtp://127.0.0.1:${port}?tls=none` }],
        queue: { retry: [late] },
      }));
      await leaveMail(provider, { from: dora, to: ['<ann@branch.example.org>'], text: order });
      await using capture = await startCapture({ port });
      const ask = (node: string) =>
        fetchmail(`poll 127.0.0.1 service ${provider.port} protocol ETRN fetchdomains ${node}`);
      expect((await ask('else.example.org')).output).toContain('459 4.7.1');
      expect((await ask('branch.example.org')).output).toContain('253 2.0.0 Ok, 1 pending');
      expect(await capture.waitFor(1)).toHaveLength(1);
      await expect.poll(() => provider.agent.store.count()).toBe(0);
      expect((await ask('branch.example.org')).output).toContain('251 2.0.0');
    },
  );

  it.skipIf(!hasPeers('perl'))(
    'CMD-ETRN-1 CMD-ETRN-3 by the SMTP client of Perl, by ETRN',
    { timeout: 60_000 },
    async () => {
      await using provider = await startTestAgent(() => ({
        etrn: { networks: ['127.0.0.1'] },
        domains: { 'branch.example.org': { relay: true } },
      }));
      const script = `use Net::SMTP; my $smtp = Net::SMTP->new("127.0.0.1", Port => ${provider.port}, Hello => "x.test") or die;
      print defined($smtp->supports("ETRN")) ? "offered " : "", $smtp->etrn("branch.example.org") ? "yes " : "no ", $smtp->code; $smtp->quit;`;
      const { stdout } = await promisify(execFile)(program('perl'), ['-e', script], { timeout: 20_000 });
      expect(stdout).toBe('offered yes 251');
    },
  );

  it.skipIf(!hasPeers('postfix', 'fetchmail'))(
    'CMD-ATRN-5 after Postfix has sent it, and gives it to another Posthorn',
    { timeout: 60_000 },
    async () => {
      await using provider = await startProvider();
      await using customer = await startCustomer();
      await using postfix = await startPostfix({ relayTo: provider.port });
      postfix.send({ from: 'dora@example.edu', to: ['ann@branch.example.org'], text: Buffer.from(order) });
      const waiting = () => [...provider.agent.store.waitingFor({ domain: 'branch.example.org' })].length;
      await expect.poll(waiting, { timeout: 20_000 }).toBe(1);
      const request = {
        by: 'atrn',
        host: '127.0.0.1',
        port: provider.odmr,
        tls: 'none',
        user: 'branch',
        password: secret,
      } as const;
      expect(await customer.agent.fetch({ ...request, domains: [] })).toMatchObject({ kind: 'done', messages: 1 });
      const [mail] = await mailIn(customer, 'ann', 1);
      expect(mail).toMatch(/by odmr\.example\.net/);
      expect(mail).toMatch(/\(Postfix/);
    },
  );
});
