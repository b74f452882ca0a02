import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { mailIn, startTestAgent, type TestAgent } from '../mta/fixture.ts';
import { startNextHop, startSilentHop } from '../mta/next-hop.ts';
import { runGolden } from './run-golden.ts';

const dialogue = 'dlg-bsmtp-1.txt';

/** hub.example.net, which bridge.example.org may feed; ann and all others have their mailboxes elsewhere in it. */
function startHub(change: (folder: string) => Partial<ConfigInput> = () => ({}), from = 'bridge.example.org') {
  return startTestAgent((folder) => ({
    hostname: 'hub.example.net',
    domains: {
      'hub.example.net': {
        deliver: `maildir:${folder}/mail/{local}`,
        mailboxes: ['postmaster'],
        batches: { 'batch-in': { from: [from], networks: ['127.0.0.0/8'] } },
      },
      'example.net': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['bob', 'dora'] },
      'example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['ann', 'carl'] },
    },
    ...change(folder),
  }));
}

/** The dialogue with some of it replaced, in a file of its own. */
function changed({ folder }: TestAgent, replacements: Readonly<Record<string, string>>): string {
  let text = readFileSync(new URL(dialogue, import.meta.url), 'utf8');
  for (const [one, other] of Object.entries(replacements)) text = text.replaceAll(one, other);
  const path = join(folder, 'dialogue.txt');
  writeFileSync(path, text);
  return `file://${path}`;
}

const bodyOf = (mail: string | undefined) => mail?.slice(mail.indexOf('\n\n') + 2);

describe('the dialogue about a batch of two messages', () => {
  it('EXT-BSMTP-1 EXT-BSMTP-3 delivers what DLG-BSMTP-1 encloses, and reports about its recipients to its senders', async () => {
    await using hub = await startHub();
    await runGolden(dialogue, { plays: 'C', ports: { 25: hub.port } });
    const [one] = await mailIn(hub, 'bob', 1);
    expect(bodyOf(one)).toBe('A line, then one that begins with a dot:\n.hidden\n');
    expect(one).toMatch(/^Return-Path: <ann@example\.org>\nDelivered-To: bob@example\.net\n/);
    expect(one).toMatch(/\nReceived: from bridge\.example\.org\n\tby hub\.example\.net with ESMTP id /);
    expect(bodyOf((await mailIn(hub, 'dora', 1))[0])).toBe('Short.\n');
    const reports = await mailIn(hub, 'ann', 2);
    const failed = reports.find((report) => report.includes('Action: failed'));
    const delivered = reports.find((report) => report.includes('Action: delivered'));
    for (const report of [failed, delivered]) expect(report).toContain('Original-Envelope-Id: b1\n');
    expect(failed).toContain('Status: 5.1.1\n');
    expect(failed).toContain('Original-Recipient: rfc822;nobody@example.net\n');
    expect(failed).toContain('\nSubject: one\n');
    expect(failed).not.toContain('.hidden');
    expect(delivered).toContain('Original-Recipient: rfc822;bob@example.net\n');
    await expect.poll(() => hub.agent.store.count()).toBe(0);
  });

  it('EXT-BSMTP-2 gives the object to the postmaster, and sends none of it, for an extension that is not known', async () => {
    await using hub = await startHub();
    await runGolden(changed(hub, { 'NOTARY"': 'NOTARY,X-ODD"' }), { plays: 'C', ports: { 25: hub.port } });
    const [object] = await mailIn(hub, 'postmaster', 1);
    expect(object).toContain('required-extensions="8bitMIME,SIZE,NOTARY,X-ODD"');
    expect(object).toContain('\nMAIL FROM:<carl@example.org> SIZE=154\n');
    expect(object).toMatch(/^Return-Path: <>\n/);
    await expect.poll(() => hub.agent.store.count()).toBe(0);
    expect(await mailIn(hub, 'bob', 0)).toEqual([]);
  });

  it.each([
    ['a syntax error in its second message', { 'MAIL FROM:<carl@example.org>': 'MAIL FROM:<carl@>' }],
    ['another type of content', { 'application/batch-SMTP;': 'application/x-batch;' }],
  ])('EXT-BSMTP-2 gives the object to the postmaster, and sends none of it, for %s', async (_, replacements) => {
    await using hub = await startHub();
    await runGolden(changed(hub, replacements), { plays: 'C', ports: { 25: hub.port } });
    await mailIn(hub, 'postmaster', 1);
    await expect.poll(() => hub.agent.store.count()).toBe(0);
    expect(await mailIn(hub, 'bob', 0)).toEqual([]);
    expect(await mailIn(hub, 'dora', 0)).toEqual([]);
  });

  it.each([
    ['a sender that is not listed', 'other.example.org', '127.0.0.0/8'],
    ['a network that is not listed', 'bridge.example.org', '192.0.2.0/24'],
  ])('EXT-BSMTP-5 refuses it at RCPT from %s', async (_, from, network) => {
    await using hub = await startHub((folder) => ({
      domains: {
        'hub.example.net': {
          deliver: `maildir:${folder}/mail/{local}`,
          mailboxes: ['postmaster'],
          aliases: { side: ['batch-in'] },
          batches: { 'batch-in': { from: [from], networks: [network] } },
        },
        'bridge.example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['batch'] },
      },
    }));
    const refused = runGolden(dialogue, { plays: 'C', ports: { 25: hub.port } });
    await expect(refused).rejects.toThrow(/550 5\.7\.1/);
    // An alias of it is found out when the batch is processed.
    await runGolden(changed(hub, { '<batch-in@': '<side@' }), { plays: 'C', ports: { 25: hub.port } });
    const [report] = await mailIn(hub, 'batch', 1);
    expect(report).toContain('Status: 5.7.1\n');
    expect(await mailIn(hub, 'bob', 0)).toEqual([]);
  });

  it('EXT-BSMTP-4 processes each message once, across an end in the midst of their delivery', async () => {
    await using silent = await startSilentHop();
    await using hop = await startNextHop();
    const { folder } = await (async () => {
      await using hub = await startHub();
      return hub;
    })();
    const over = (to: string) =>
      startHub(() => ({
        dataDir: join(`${folder}-again`, 'data'),
        domains: {
          'hub.example.net': {
            deliver: 'discard:',
            mailboxes: ['postmaster'],
            batches: { 'batch-in': { from: ['bridge.example.org'], networks: ['127.0.0.0/8'] } },
          },
        },
        routes: [{ domain: '*', to }],
        queue: { retry: ['1s'] },
      }));
    {
      await using hub = await over(silent.to);
      await runGolden(dialogue, { plays: 'C', ports: { 25: hub.port } });
      await expect.poll(() => silent.sessions.length).toBeGreaterThan(0);
      expect(hub.agent.store.count()).toBe(2);
      await hub.agent.close({ grace: 0 });
    }
    await using hub = await over(hop.to);
    await expect.poll(() => hub.agent.store.count(), { timeout: 15_000 }).toBe(0);
    const { taken } = hop;
    const recipients = taken.flatMap(({ rcpt }) => rcpt.map((line) => /<([^@]*)/.exec(line)?.[1]));
    // ann gets the report that she asked for.
    expect(recipients.sort()).toEqual(['ann', 'bob', 'dora', 'nobody']);
  });
});
