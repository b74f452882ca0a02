import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { testCertificate } from '../../../smtp/test/laws/test-certificate.ts';
import { hashPassword } from '../../src/config/password.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { configOf, mailIn, sendMail, startTestAgent, type TestAgent } from './fixture.ts';
import { startNextHop } from './next-hop.ts';
import { otherCertificate } from './other-certificate.ts';
import { TestSession } from './session.ts';

/** Reloads an agent with its configuration changed. */
function reload(test: TestAgent, input: (folder: string) => Partial<ConfigInput>) {
  return test.agent.reload(
    configOf({
      hostname: test.config.hostname,
      dataDir: test.config.dataDir,
      listeners: test.config.listeners.map(({ role }) => ({ role, host: '127.0.0.1', port: 0 })),
      ...input(test.folder),
    }),
  );
}

const domain = (folder: string, mailboxes: readonly string[]) => ({
  deliver: `maildir:${folder}/mail/{local}`,
  mailboxes: [...mailboxes],
});

describe('a reload', () => {
  it('changes domains and mailboxes for a session that is open, in the middle of its transaction', async () => {
    await using test = await startTestAgent((folder) => ({ domains: { 'example.org': domain(folder, ['bob']) } }));
    await using session = await TestSession.open(test.port);
    expect(await session.say('MAIL FROM:<a@x.example>')).toMatch(/^250 /);
    expect(await session.say('RCPT TO:<bob@example.org>')).toMatch(/^250 /);
    expect(await session.say('RCPT TO:<carl@example.org>')).toMatch(/^550 5\.1\.1 /);
    expect(await session.say('RCPT TO:<dora@example.net>')).toMatch(/^550 5\.7\.1 /);
    const { needsRestart } = reload(test, (folder) => ({
      domains: { 'example.org': domain(folder, ['bob', 'carl']), 'example.net': domain(folder, ['dora']) },
    }));
    expect(needsRestart).toEqual([]);
    expect(await session.say('RCPT TO:<carl@example.org>')).toMatch(/^250 /);
    expect(await session.say('RCPT TO:<dora@example.net>')).toMatch(/^250 /);
    expect(await session.say('DATA')).toMatch(/^354 /);
    expect(await session.say('Subject: x\r\n\r\nhello\r\n.')).toMatch(/^250 /);
    await Promise.all(['bob', 'carl', 'dora'].map((box) => mailIn(test, box, 1)));
  });

  it('LOC-AL-2 reads files of aliases and what they include again, or keeps all as it was when they are faulty', async () => {
    await using test = await startTestAgent((folder) => {
      writeFileSync(join(folder, 'aliases'), 'team: bob\n');
      return {
        domains: { 'example.org': { ...domain(folder, ['bob', 'carl']), aliasFiles: [join(folder, 'aliases')] } },
      };
    });
    const again = () =>
      reload(test, (folder) => ({
        domains: { 'example.org': { ...domain(folder, ['bob', 'carl']), aliasFiles: [join(folder, 'aliases')] } },
      }));
    writeFileSync(join(test.folder, 'members'), 'carl\n');
    writeFileSync(join(test.folder, 'aliases'), `team: :include:${test.folder}/members\n`);
    expect(again().needsRestart).toEqual([]);
    await sendMail(test.port, { to: ['<team@example.org>'] });
    await mailIn(test, 'carl', 1);
    writeFileSync(join(test.folder, 'members'), 'nobody\n');
    expect(again).toThrow('members:1');
    await sendMail(test.port, { to: ['<team@example.org>'] });
    await mailIn(test, 'carl', 2);
  });

  it('sends mail that waits in the queue by the new routes', async () => {
    await using first = await startNextHop({ reply: (verb) => (verb === 'RCPT' ? '450 4.2.1 later' : undefined) });
    await using second = await startNextHop();
    const routed = (to: string): Partial<ConfigInput> => ({
      relayFrom: ['127.0.0.0/8'],
      routes: [{ domain: '*', to }],
      queue: { retry: ['1s'] },
    });
    await using test = await startTestAgent(() => routed(first.to));
    await sendMail(test.port, { to: ['<u@far.example>'] });
    await expect.poll(() => first.sessions.length).toBeGreaterThan(0);
    reload(test, () => routed(second.to));
    await expect.poll(() => second.taken.length, { timeout: 10_000 }).toBe(1);
    expect(first.taken).toEqual([]);
  });

  it('changes who may relay', async () => {
    await using test = await startTestAgent(() => ({ routes: [{ domain: '*', to: 'discard:' }] }));
    await using session = await TestSession.open(test.port);
    await session.say('MAIL FROM:<a@x.example>');
    expect(await session.say('RCPT TO:<u@far.example>')).toMatch(/^550 5\.7\.1 /);
    reload(test, () => ({ routes: [{ domain: '*', to: 'discard:' }], relayFrom: ['127.0.0.1'] }));
    expect(await session.say('RCPT TO:<u@far.example>')).toMatch(/^250 /);
    reload(test, () => ({ routes: [{ domain: '*', to: 'discard:' }] }));
    expect(await session.say('RCPT TO:<v@far.example>')).toMatch(/^550 5\.7\.1 /);
  });

  it('shows the new certificate to new handshakes and keeps the sessions that are secured', async () => {
    const paths = (folder: string) => ({ cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') });
    const write = (folder: string, { cert, key }: { cert: unknown; key: unknown }) => {
      writeFileSync(paths(folder).cert, String(cert));
      writeFileSync(paths(folder).key, String(key));
    };
    const hashed = await hashPassword('correct horse');
    const input = (folder: string): Partial<ConfigInput> => ({
      tls: paths(folder),
      users: { alice: { password: hashed } },
    });
    await using test = await startTestAgent((folder) => {
      write(folder, testCertificate);
      return { ...input(folder), listeners: [{ role: 'submissions', host: '127.0.0.1', port: 0 }] };
    });
    const handshake = () =>
      new Promise<ReturnType<typeof connectTls>>((resolve, reject) => {
        const socket = connectTls({ port: test.port, host: '127.0.0.1', rejectUnauthorized: false }, () =>
          resolve(socket),
        );
        socket.on('error', reject);
      });
    const before = await handshake();
    expect(before.getPeerCertificate().subject.CN).toBe('mx.example.test');
    write(test.folder, otherCertificate);
    reload(test, input);
    const after = await handshake();
    expect(after.getPeerCertificate().subject.CN).toBe('other.example.test');
    const answer = new Promise<string>((resolve) => {
      let text = '';
      before.on('data', (piece) => {
        text += String(piece);
        if (text.includes('\r\n250 ')) resolve(text);
      });
    });
    before.write('EHLO client.example\r\n');
    expect(await answer).toContain('250-mx.example.org');
    before.destroy();
    after.destroy();
  });

  it('changes nothing when the certificate cannot be read, and names what a restart needs', async () => {
    await using test = await startTestAgent((folder) => ({ domains: { 'example.org': domain(folder, ['bob']) } }));
    const missing = (folder: string): Partial<ConfigInput> => ({
      domains: { 'example.org': domain(folder, ['carl']) },
      tls: { cert: join(folder, 'none.pem'), key: join(folder, 'none.pem') },
    });
    expect(() => reload(test, missing)).toThrow(expect.objectContaining({ kind: 'tls' }));
    await using session = await TestSession.open(test.port);
    await session.say('MAIL FROM:<a@x.example>');
    expect(await session.say('RCPT TO:<bob@example.org>')).toMatch(/^250 /);
    expect(await session.say('RCPT TO:<carl@example.org>')).toMatch(/^550 /);
    await mkdir(join(test.folder, 'elsewhere'));
    const changed = reload(test, (folder) => ({
      hostname: 'other.example.org',
      domains: { 'example.org': domain(folder, ['bob']) },
      queue: { retry: ['5s'] },
    }));
    expect(changed.needsRestart).toEqual(['hostname', 'queue']);
  });
});
