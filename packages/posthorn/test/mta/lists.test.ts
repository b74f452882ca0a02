import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { mailIn, sendMail, startTestAgent } from './fixture.ts';
import { pairOf, startNextHop } from './next-hop.ts';
import { TestSession } from './session.ts';

type ListInput = NonNullable<NonNullable<ConfigInput['domains']>[string]['lists']>[string];

const text =
  'From: Ann <ann@example.org>\r\nTo: news@example.org\r\nSubject: hi\r\nList-Id: <old.example>\r\n\r\nHello\r\n';

function domain(folder: string, lists: Readonly<Record<string, ListInput>>) {
  return {
    'example.org': {
      deliver: `maildir:${folder}/mail/{local}`,
      mailboxes: ['ann', 'bob', 'carl', 'olga'],
      aliases: { robert: ['bob'], ...('news' in lists ? { all: ['news'] } : {}) },
      lists,
    },
  };
}

/** An agent with a list, and a host that takes all mail for elsewhere. */
async function startList(list: ListInput, more: (folder: string) => Partial<ConfigInput> = () => ({})) {
  const hop = await startNextHop({ offers: ['PIPELINING', '8BITMIME', 'DSN', 'ENHANCEDSTATUSCODES'] });
  const test = await startTestAgent((folder) => ({
    relayFrom: ['127.0.0.0/8'],
    domains: domain(folder, { news: { owner: ['olga'], ...list } }),
    routes: [{ domain: '*', to: hop.to }],
    queue: { retry: ['1s'] },
    ...more(folder),
  }));
  return pairOf(test, hop);
}

describe('mailing lists of the agent', () => {
  it('LOC-LS-1 writes to each member once with the owner as sender, to the author too, and leaves From as it is', async () => {
    await using pair = await startList({
      members: ['ann', 'robert', 'bob@example.org', 'far@far.example', 'also@far.example'],
    });
    const [answer] = await sendMail(pair.test.port, { from: '<ann@example.org>', to: ['<news@example.org>'], text });
    expect(answer).toMatch(/^250 /);
    const [[toAnn], [toBob]] = [await mailIn(pair.test, 'ann', 1), await mailIn(pair.test, 'bob', 1)];
    for (const mail of [toAnn, toBob]) {
      expect(mail).toMatch(/^Return-Path: <owner-news@example\.org>\n/);
      expect(mail).toContain('\nFrom: Ann <ann@example.org>\n');
      expect(mail).toMatch(/\n\nHello\n$/);
    }
    await expect.poll(() => pair.hop.taken.length).toBe(1);
    const [taken] = pair.hop.taken;
    expect(taken?.mail).toMatch(/^MAIL FROM:<owner-news@example\.org>/);
    expect(taken?.rcpt.map((line) => line.split(' ')[1])).toEqual(['TO:<far@far.example>', 'TO:<also@far.example>']);
    await expect.poll(() => pair.test.agent.store.count()).toBe(0);
    await mailIn(pair.test, 'bob', 1);
  });

  it('LOC-LS-2 says in each copy what the list is, once, instead of the list it came from', async () => {
    await using pair = await startList({
      members: ['ann', 'bob'],
      name: 'News',
      help: ['https://example.org/help'],
      unsubscribe: ['https://example.org/u'],
      oneClick: true,
      archive: ['https://example.org/archive'],
    });
    await sendMail(pair.test.port, { from: '<ann@example.org>', to: ['<NEWS@example.org>'], text });
    const [mail] = await mailIn(pair.test, 'bob', 1);
    expect(mail?.match(/^(?:List-|Precedence|Delivered-To).*$/gim)).toEqual([
      'Delivered-To: bob@example.org',
      'Delivered-To: news@example.org',
      'List-Id: News <news.example.org>',
      'List-Help: <https://example.org/help>',
      'List-Unsubscribe: <https://example.org/u>',
      'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
      'List-Post: <mailto:news@example.org>',
      'List-Owner: <mailto:owner-news@example.org>',
      'List-Archive: <https://example.org/archive>',
      'Precedence: list',
    ]);
  });

  it('LOC-LS-2 LOC-4 brings reports, and mail for owner-list, list-owner and list-request, to the owner alone', async () => {
    await using pair = await startList({ members: ['bob'] });
    const to = ['news', 'owner-news', 'news-owner', 'News-Request', 'owner-news+bob=far.example'];
    for (const each of to) await sendMail(pair.test.port, { from: '<>', to: [`<${each}@example.org>`] });
    const mails = await mailIn(pair.test, 'olga', to.length);
    expect(mails.every((mail) => mail.startsWith('Return-Path: <>\n'))).toBe(true);
    await expect.poll(() => pair.test.agent.store.count()).toBe(0);
    await mailIn(pair.test, 'bob', 0);
  });

  it('DSN-14 DSN-10 reports `delivered` when the list has the mail, and gives the copies fresh parameters', async () => {
    await using pair = await startList({ members: ['far@far.example', 'bob'], postedBy: 'anyone' });
    await sendMail(pair.test.port, {
      from: '<ann@example.org> RET=FULL ENVID=mine',
      to: ['<news@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;old@example.org'],
      text,
    });
    const [report] = await mailIn(pair.test, 'ann', 1);
    expect(report).toContain('\nAction: delivered\n');
    expect(report).toContain('\nOriginal-Recipient: rfc822;old@example.org\n');
    expect(report?.match(/\nFinal-Recipient: .*/g)).toEqual(['\nFinal-Recipient: rfc822; news@example.org']);
    await expect.poll(() => pair.hop.taken.length).toBe(1);
    const [taken] = pair.hop.taken;
    expect(taken?.mail).toMatch(/RET=HDRS ENVID=[0-9a-f]{32}\b/);
    expect(taken?.rcpt).toEqual(['RCPT TO:<far@far.example> NOTIFY=FAILURE ORCPT=rfc822;far@far.example']);
    await expect.poll(() => pair.test.agent.store.count()).toBe(0);
    await mailIn(pair.test, 'ann', 1);
  });

  it('LOC-LS-1 with VERP gives each member a sender that names it, and its failure reaches the owner', async () => {
    await using hop = await startNextHop({
      offers: ['PIPELINING', 'ENHANCEDSTATUSCODES'],
      reply: (verb, line) => (verb === 'RCPT' && line.includes('gone@') ? '550 5.1.1 no such user' : undefined),
    });
    await using test = await startTestAgent((folder) => ({
      domains: domain(folder, {
        news: {
          owner: ['olga'],
          members: ['a@far.example', 'b@far.example', 'gone@far.example'],
          verp: true,
          postedBy: 'anyone',
        },
      }),
      routes: [{ domain: '*', to: hop.to }],
    }));
    await sendMail(test.port, { from: '<stranger@elsewhere.example>', to: ['<news@example.org>'], text });
    await expect.poll(() => hop.taken.length).toBe(2);
    expect(hop.taken.map(({ mail, rcpt }) => `${mail.split(' ')[1]} ${rcpt}`).sort()).toEqual([
      'FROM:<owner-news+a=far.example@example.org> RCPT TO:<a@far.example>',
      'FROM:<owner-news+b=far.example@example.org> RCPT TO:<b@far.example>',
    ]);
    const [report] = await mailIn(test, 'olga', 1);
    expect(report).toContain('\nFinal-Recipient: rfc822; gone@far.example\n');
    expect(report).toContain('\nStatus: 5.1.1\n');
  });

  it('LOC-LS-1 CLI-LOOP-1 ENH-4/5.4.6 ends a loop of two lists that name each other with 5.4.6', async () => {
    await using test = await startTestAgent((folder) => ({
      domains: domain(folder, {
        one: { owner: ['olga'], members: ['two', 'bob'], postedBy: 'anyone' },
        two: { owner: ['olga'], members: ['one', 'carl'], postedBy: 'anyone' },
      }),
    }));
    await sendMail(test.port, { from: '<x@elsewhere.example>', to: ['<one@example.org>'], text });
    const [[toBob], [toCarl], [report]] = [
      await mailIn(test, 'bob', 1),
      await mailIn(test, 'carl', 1),
      await mailIn(test, 'olga', 1),
    ];
    expect(toBob).toContain('\nList-Id: <one.example.org>\n');
    expect(toCarl).toContain('\nList-Id: <two.example.org>\n');
    expect(toCarl).not.toContain('one.example.org>');
    expect(report).toContain('\nStatus: 5.4.6\n');
    await expect.poll(() => test.agent.store.count()).toBe(0);
    await mailIn(test, 'bob', 1);
  });

  it('ENH-7/5.7.2 refuses who may not write to it in the session, by an alias of it too: 5.7.2', async () => {
    await using pair = await startList({ members: ['bob'] });
    await using session = await TestSession.open(pair.test.port);
    await session.say('MAIL FROM:<stranger@elsewhere.example>');
    for (const name of ['news', 'all']) {
      expect(await session.say(`RCPT TO:<${name}@example.org>`)).toBe(
        '550 5.7.2 The sender may not write to this list',
      );
    }
    expect(await session.say('RCPT TO:<owner-news@example.org>')).toMatch(/^250 /);
    await sendMail(pair.test.port, { from: '<robert@example.org>', to: ['<all@example.org>'] });
    await mailIn(pair.test, 'bob', 1);
  });

  it('ENH-2/4.2.4 reads members from a file as it is now, and waits while it cannot', async () => {
    await using pair = await startList({ file: 'members.txt', postedBy: 'anyone' }, (folder) => {
      writeFileSync(join(folder, 'members.txt'), '# all\nbob # one\n\n|rm -rf\n');
      return {
        domains: domain(folder, { news: { owner: ['olga'], file: join(folder, 'members.txt'), postedBy: 'anyone' } }),
      };
    });
    const { test } = pair;
    const send = () => sendMail(test.port, { from: '<x@elsewhere.example>', to: ['<news@example.org>'], text });
    await send();
    await mailIn(test, 'bob', 1);
    const file = join(test.folder, 'members.txt');
    renameSync(file, `${file}.new`);
    await send();
    await expect.poll(() => test.log.lines.filter((line) => line.text === 'deferred').length).toBeGreaterThan(0);
    expect(test.log.lines.find((line) => line.text === 'deferred')?.fields).toMatchObject({ status: '4.2.4' });
    writeFileSync(`${file}.new`, 'bob\ncarl\n');
    renameSync(`${file}.new`, file);
    await mailIn(test, 'carl', 1);
    await mailIn(test, 'bob', 2);
  });

  it('LOC-LS-1 brings mail to thousands of members once each, and empties the queue', async () => {
    const members = Array.from({ length: 2500 }, (_, index) => `m${index}@d${index % 40}.example`);
    await using test = await startTestAgent((folder) => ({
      domains: domain(folder, { news: { owner: ['olga'], members, postedBy: 'anyone', verp: true } }),
      routes: [{ domain: '*', to: 'discard:' }],
    }));
    await sendMail(test.port, { from: '<x@elsewhere.example>', to: ['<news@example.org>'], text });
    await expect.poll(() => test.agent.store.count(), { timeout: 20_000 }).toBe(0);
    const delivered = test.log.lines.filter((line) => line.text === 'delivered');
    const to = delivered.map(({ fields }) => (fields as { to: string }).to);
    expect(to.sort()).toEqual([...members, 'news@example.org'].sort());
  });
});
