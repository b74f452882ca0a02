import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/config/check-config.ts';
import { mailIn, sendMail, startTestAgent, talk } from './fixture.ts';
import { startNextHop } from './next-hop.ts';

function startForwarder(to: string) {
  return startTestAgent((folder) => ({
    srs: { domain: 'example.org' },
    routes: [{ domain: '*', to }],
    domains: {
      'example.org': {
        deliver: `maildir:${folder}/mail/{local}`,
        mailboxes: ['bob'],
        aliases: { away: ['carol@far.example'], both: ['bob', 'carol@far.example'] },
        forwards: { gone: { to: 'dave@far.example', mode: 'silent' } },
      },
    },
  }));
}

const rcpt = async (port: number, from: string, to: string) =>
  (
    await talk(port, [
      { send: 'EHLO x.example\r\n', replies: 1 },
      { send: `MAIL FROM:${from}\r\nRCPT TO:${to}\r\nQUIT\r\n`, replies: 3 },
    ])
  )[3];

describe('the senders of forwarded mail', () => {
  it('LOC-FW-1 are written by this host where mail goes on to others, and reports come back to them', async () => {
    await using hop = await startNextHop();
    await using test = await startForwarder(hop.to);
    await sendMail(test.port, { from: '<ann@sender.example>', to: ['<away@example.org>', '<gone@example.org>'] });
    await expect.poll(() => hop.takenFor('far.example').flatMap(({ rcpt: lines }) => lines)).toHaveLength(2);
    const [taken] = hop.takenFor('carol@far.example');
    const written = /<(SRS0=[a-z2-7]{8}=[a-z2-7]{2}=sender\.example=ann@example\.org)>/.exec(taken?.mail ?? '')?.[1];
    expect(written).toBeDefined();
    expect(hop.takenFor('dave@far.example')[0]?.mail).toContain(`<${written}>`);
    // The report of the next host.
    expect(await sendMail(test.port, { from: '<>', to: [`<${written}>`] })).toEqual([expect.stringMatching(/^250 /)]);
    await expect.poll(() => hop.takenFor('<ann@sender.example>')).toHaveLength(1);
    expect(hop.takenFor('<ann@sender.example>')[0]?.mail).toMatch(/FROM:<>/);
  });

  it('LOC-FW-1 CMD-RCPT-4 are of use for reports alone, and only as they were written', async () => {
    await using hop = await startNextHop();
    await using test = await startForwarder(hop.to);
    await sendMail(test.port, { from: '<ann@sender.example>', to: ['<away@example.org>'] });
    await expect.poll(() => hop.taken.length).toBe(1);
    const written = /<(SRS0=[^>]*)>/.exec(hop.taken[0]?.mail ?? '')?.[1] ?? '';
    expect(await rcpt(test.port, '<spam@x.example>', `<${written}>`)).toMatch(/^550 5\.7\.1 /);
    expect(await rcpt(test.port, '<>', `<${written.replace('=ann@', '=eve@')}>`)).toMatch(/^550 5\.1\.1 /);
    expect(await rcpt(test.port, '<>', `<${written.toLowerCase()}>`)).toMatch(/^250 /);
  });

  it('LOC-FW-1 stay where mail stays here, comes from here or has none', async () => {
    await using hop = await startNextHop();
    await using test = await startForwarder(hop.to);
    await sendMail(
      test.port,
      { from: '<ann@sender.example>', to: ['<both@example.org>'] },
      { from: '<bob@example.org>', to: ['<away@example.org>'] },
      { from: '<>', to: ['<gone@example.org>'] },
    );
    await expect.poll(() => hop.taken.length).toBe(3);
    expect(hop.taken.map(({ mail }) => /FROM:<(?:SRS0)?[^@=>]*/.exec(mail)?.[0]).sort()).toEqual([
      'FROM:<',
      'FROM:<SRS0',
      'FROM:<bob',
    ]);
    expect((await mailIn(test, 'bob', 1))[0]).toContain('Return-Path: <ann@sender.example>');
  });

  it('LOC-FW-1 need a secret, which is for the user of the server alone and stays the same', async () => {
    await using test = await startForwarder('discard:');
    const path = join(test.config.dataDir, 'srs-secret');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'latin1')).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(test.log.lines)).not.toContain(readFileSync(path, 'latin1'));
  });

  it('need a domain that reports come back to', () => {
    const checked = checkConfig({
      hostname: 'mx.example.org',
      dataDir: '/nonexistent',
      listeners: [{ role: 'mx' }],
      domains: { 'example.org': { relay: true } },
      srs: { domain: 'elsewhere.example' },
    });
    expect('mistakes' in checked && checked.mistakes.map(({ path }) => path)).toEqual(['srs.domain']);
  });
});
