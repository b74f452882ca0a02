import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { mailIn, sendMail, startTestAgent } from './fixture.ts';
import { startNextHop } from './next-hop.ts';

/** Where the tests run as root, programs run as nobody. */
const programs = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** A folder within the agent's that programs can write to. */
function openFolder(folder: string): string {
  const path = join(folder, 'out');
  mkdirSync(path);
  chmodSync(folder, 0o755);
  chmodSync(path, 0o777);
  return path;
}

type Domain = NonNullable<ConfigInput['domains']>[string];

function exampleOrg(folder: string, more: Domain): ConfigInput['domains'] {
  return { 'example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['alice', 'bob'], ...more } };
}

const read = (path: string) => readFile(path, 'latin1').catch(() => '');

describe('aliases in the agent', () => {
  it('LOC-AL-2 LOC-AL-1 deliver to programs, files, folders, includes and people, from a file of aliases', async () => {
    await using test = await startTestAgent((folder) => {
      const out = openFolder(folder);
      const [aliases, include] = [join(folder, 'aliases'), join(folder, 'staff')];
      writeFileSync(include, '# staff\nbob\n\\alice\n');
      writeFileSync(
        aliases,
        `team: "|cat > ${out}/piped; echo $EXTENSION > ${out}/extension",\n  ${folder}/archive, ${folder}/mail/kept/\n` +
          `team2: :include:${include}, team\n`,
      );
      return { programs, domains: exampleOrg(folder, { aliasFiles: [aliases] }) };
    });
    expect(await sendMail(test.port, { to: ['<team2@example.org>', '<bob@example.org>'] })).toEqual([
      expect.stringMatching(/^250 /),
    ]);
    for (const box of ['alice', 'bob', 'kept'])
      expect((await mailIn(test, box, 1))[0]).toContain('Subject: x\n\nHello\n');
    const out = join(test.folder, 'out');
    await expect.poll(() => read(join(out, 'piped'))).toContain('Hello');
    expect(await read(join(out, 'piped'))).toMatch(
      /^Return-Path: <bob@example.com>\nDelivered-To: team2?@example.org\n/,
    );
    await expect.poll(() => read(join(test.folder, 'archive'))).toMatch(/^From bob@example.com .*Hello\n\n$/s);
    expect(test.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('LOC-3 keep the detail: programs find it in EXTENSION, and one target of ours gets it', async () => {
    await using test = await startTestAgent((folder) => {
      const out = openFolder(folder);
      const aliases = {
        print: [`|echo "$RECIPIENT $EXTENSION" > ${out}/said`],
        chief: ['alice'],
        away: ['chief@example.net'],
        self: ['self', 'bob'],
      };
      return { programs, domains: exampleOrg(folder, { aliases }), routes: [{ domain: '*', to: 'discard:' }] };
    });
    const to = ['print+a.b', 'chief+news', 'away+news', 'self+me'].map((name) => `<${name}@example.org>`);
    await sendMail(test.port, { to });
    await expect.poll(() => read(join(test.folder, 'out', 'said'))).toBe('print+a.b@example.org a.b\n');
    expect((await mailIn(test, 'alice', 1))[0]).toContain('Delivered-To: alice+news@example.org\n');
    expect((await mailIn(test, 'self', 1))[0]).toContain('Delivered-To: self+me@example.org\n');
    await expect.poll(() => test.log.lines.filter(({ text }) => text === 'delivered').length).toBe(5);
    const delivered = test.log.lines.map(({ fields }) => (fields as { to?: string }).to);
    expect(delivered).toContain('chief@example.net');
  });

  it('LOC-AL-2 report what a program refuses, with its words', async () => {
    await using test = await startTestAgent((folder) => ({
      programs,
      domains: exampleOrg(folder, { aliases: { picky: ['|echo not me >&2; exit 67'] } }),
    }));
    await sendMail(test.port, { from: '<bob@example.org>', to: ['<picky@example.org>'] });
    const [report = ''] = await mailIn(test, 'bob', 1);
    expect(report).toContain('Status: 5.1.1');
    expect(report).toContain('The program ended with 67: not me');
    expect(report).toContain('Final-Recipient: rfc822; picky@example.org');
  });

  it('LOC-FW-2 with an owner send mail on in its name, and report their own success', async () => {
    await using hop = await startNextHop();
    await using test = await startTestAgent((folder) => ({
      domains: exampleOrg(folder, { aliases: { team: ['x@far.example', 'y@far.example'], 'owner-team': ['bob'] } }),
      routes: [{ domain: '*', to: hop.to }],
    }));
    await sendMail(test.port, {
      from: '<alice@example.org> ENVID=mine',
      to: ['<team@example.org> NOTIFY=SUCCESS,FAILURE'],
    });
    const [report = ''] = await mailIn(test, 'alice', 1);
    expect(report).toContain('Action: delivered');
    expect(report).not.toContain('far.example');
    await expect.poll(() => hop.taken.length).toBe(1);
    expect(hop.taken[0]?.mail).toContain('FROM:<owner-team@example.org>');
    expect(hop.taken[0]?.mail).not.toContain('ENVID=mine');
    expect(hop.taken[0]?.rcpt.join()).not.toContain('SUCCESS');
  });
});

describe('the certifier of a tracked message', () => {
  const certifier = 'A'.repeat(27);
  const mails = (hop: { readonly taken: readonly { readonly mail: string }[] }) => hop.taken.map(({ mail }) => mail);

  async function relay(aliases: Readonly<Record<string, string[]>>, to: string) {
    const hop = await startNextHop({ offers: ['DSN', 'MTRK'] });
    const test = await startTestAgent((folder) => ({
      domains: exampleOrg(folder, { aliases }),
      routes: [{ domain: '*', to: hop.to }],
      listeners: [
        { role: 'mx', host: '127.0.0.1', port: 0 },
        { role: 'mtqp', host: '127.0.0.1', port: 0 },
      ],
    }));
    const from = `<alice@example.org> ENVID=e1 MTRK=${certifier}:3600`;
    expect(
      (await sendMail(test.port, { from, to: [`<${to}@example.org> ORCPT=rfc822;${to}@example.org`] }))[0],
    ).toMatch(/^250 /);
    return { hop, test };
  }

  it('EXT-MTRK-4 goes on to one behind an alias, with ENVID and ORCPT', async () => {
    const { hop, test } = await relay({ one: ['x@far.example'] }, 'one');
    await using _ = test;
    await expect.poll(() => hop.taken.length).toBe(1);
    expect(mails(hop)[0]).toMatch(new RegExp(`ENVID=e1 .*MTRK=${certifier}:|MTRK=${certifier}:.* ENVID=e1`));
    expect(hop.taken[0]?.rcpt[0]).toContain('ORCPT=rfc822;one@example.org');
    await hop[Symbol.asyncDispose]();
  });

  it('EXT-MTRK-4 goes on to one alone of several behind an alias, and to none behind one with an owner', async () => {
    const aliases = { many: ['x@far.example', 'y@far.example', 'z@far.example'] };
    const { hop, test } = await relay(aliases, 'many');
    await expect.poll(() => hop.taken.flatMap(({ rcpt }) => rcpt).length).toBe(3);
    const tracked = hop.taken.filter(({ mail }) => mail.includes(`MTRK=${certifier}`));
    expect(tracked.flatMap(({ rcpt }) => rcpt)).toEqual([expect.stringContaining('<x@far.example>')]);
    await test[Symbol.asyncDispose]();
    await hop[Symbol.asyncDispose]();
    const owned = await relay({ ...aliases, 'owner-many': ['bob'] }, 'many');
    await expect.poll(() => owned.hop.taken.flatMap(({ rcpt }) => rcpt).length).toBe(3);
    expect(mails(owned.hop).join()).not.toContain('MTRK');
    expect(mails(owned.hop).join()).not.toContain('ENVID=e1');
    await owned.test[Symbol.asyncDispose]();
    await owned.hop[Symbol.asyncDispose]();
  });
});

describe('reports about aliases', () => {
  const to = ['<team@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;team@example.org'];

  it('DSN-13 pass to one all that its sender asked for, and tell of no alias', async () => {
    await using hop = await startNextHop({ offers: ['DSN'] });
    await using test = await startTestAgent((folder) => ({
      domains: exampleOrg(folder, { aliases: { team: ['x@far.example'] } }),
      routes: [{ domain: '*', to: hop.to }],
    }));
    await sendMail(test.port, { from: '<alice@example.org> ENVID=e1', to });
    await expect.poll(() => hop.taken.length).toBe(1);
    expect(hop.taken[0]?.rcpt[0]).toContain('<x@far.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;team@example.org');
    expect(hop.taken[0]?.mail).toContain('ENVID=e1');
    await expect.poll(() => test.agent.store.count()).toBe(0);
    await mailIn(test, 'alice', 0);
  });

  it('DSN-13 tell of one that stands for several that it was expanded, and pass on all but the wish to hear of success', async () => {
    await using hop = await startNextHop({ offers: ['DSN'] });
    await using test = await startTestAgent((folder) => ({
      domains: exampleOrg(folder, { aliases: { team: ['x@far.example', 'bob'] } }),
      routes: [{ domain: '*', to: hop.to }],
    }));
    await sendMail(test.port, { from: '<alice@example.org> ENVID=e1', to });
    await expect.poll(() => hop.taken.length).toBe(1);
    expect(hop.taken[0]?.rcpt[0]).toContain('<x@far.example> NOTIFY=FAILURE ORCPT=rfc822;team@example.org');
    const [report = ''] = await mailIn(test, 'alice', 1);
    expect(report).toContain('Action: expanded');
    expect(report).toContain('Final-Recipient: rfc822; team@example.org');
    expect(report).toContain('Original-Envelope-Id: e1');
    expect(report).toContain('Subject: x');
    await mailIn(test, 'bob', 1);
    await expect.poll(() => test.agent.store.count()).toBe(0);
    await mailIn(test, 'alice', 1);
  });

  it('DSN-13 tell nothing where nobody wants to hear of success, nor of mail without a sender', async () => {
    await using test = await startTestAgent((folder) => ({
      domains: exampleOrg(folder, { aliases: { team: ['alice', 'bob'] } }),
    }));
    await sendMail(
      test.port,
      { from: '<alice@example.org>', to: ['<team@example.org> NOTIFY=FAILURE'] },
      { from: '<>', to: ['<team@example.org> NOTIFY=SUCCESS'] },
    );
    await mailIn(test, 'bob', 2);
    await expect.poll(() => test.agent.store.count()).toBe(0);
    await mailIn(test, 'alice', 2);
  });

  it('DSN-22 say relayed of what a gateway took, where its sender wants to hear of success', async () => {
    await using test = await startTestAgent((folder) => ({
      programs,
      domains: {
        ...exampleOrg(folder, {}),
        'fax.example': { gateway: { deliver: 'pipe:cat > /dev/null' }, deliver: 'discard:' },
      },
    }));
    const fax = (notify: string) => ({ from: '<alice@example.org>', to: [`<FAX=+390203@fax.example>${notify}`] });
    await sendMail(test.port, fax(' NOTIFY=SUCCESS'), fax(' NOTIFY=NEVER'), fax(''));
    const [report = ''] = await mailIn(test, 'alice', 1);
    expect(report).toContain('Action: relayed');
    expect(report).toContain('Final-Recipient: rfc822; FAX=+390203@fax.example');
    await expect.poll(() => test.agent.store.count()).toBe(0);
    await mailIn(test, 'alice', 1);
  });
});
