import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/schema.ts';
import { mailIn, sendMail, startTestAgent } from './fixture.ts';
import { startNextHop } from './next-hop.ts';
import { TestSession } from './session.ts';

type Domain = NonNullable<ConfigInput['domains']>[string];

function exampleOrg(folder: string, more: Domain): Partial<ConfigInput> {
  return {
    domains: { 'example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['alice', 'bob'], ...more } },
  };
}

/** A file of so many octets in a folder of a Maildir. */
function fill(maildir: string, size: number, name = 'cur/old:2,S'): string {
  for (const part of ['tmp', 'new', 'cur']) mkdirSync(join(maildir, part), { recursive: true });
  const path = join(maildir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, Buffer.alloc(size, 'x'));
  return path;
}

async function begin(port: number, parameters = ''): Promise<TestSession> {
  const session = await TestSession.connect(port);
  await session.lines('EHLO x.example');
  await session.lines(`MAIL FROM:<a@x.example>${parameters}`);
  return session;
}

const text = (octets: number) => `Subject: x\r\n\r\n${'0123456789abcdef\r\n'.repeat(octets / 18)}`;

describe('a mailbox', () => {
  it('CMD-RCPT-11 ENH-2/5.2.1 that is disabled refuses mail, by its aliases too', async () => {
    await using test = await startTestAgent((folder) =>
      exampleOrg(folder, { aliases: { a: ['alice'] }, mailboxSettings: { alice: { disabled: true } } }),
    );
    await using session = await begin(test.port);
    for (const name of ['alice', 'ALICE+x', 'a'])
      expect(await session.lines(`RCPT TO:<${name}@example.org>`)).toEqual(['550 5.2.1 The mailbox takes no mail']);
    expect((await session.lines('RCPT TO:<bob@example.org>'))[0]).toMatch(/^250 /);
  });

  it('CMD-RCPT-11 LOC-MD-1 REP-452 ENH-2/4.2.2 that is full refuses mail for now, until there is room', async () => {
    await using test = await startTestAgent((folder) => {
      fill(join(folder, 'mail', 'alice'), 900);
      fill(join(folder, 'mail', 'alice'), 0, '.Sent/cur/x,S=200:2,');
      return exampleOrg(folder, { quota: 1000 });
    });
    await using session = await begin(test.port);
    expect(await session.lines('RCPT TO:<alice@example.org>')).toEqual(['452 4.2.2 The mailbox is full']);
    expect((await session.lines('RCPT TO:<bob@example.org>'))[0]).toMatch(/^250 /);
    rmSync(join(test.folder, 'mail', 'alice', '.Sent'), { recursive: true });
    await expect
      .poll(async () => (await session.lines('RCPT TO:<alice@example.org>'))[0], { timeout: 5000, interval: 200 })
      .toMatch(/^250 /);
  });

  it('CMD-RCPT-11 REP-552 ENH-2/5.2.2 that is full refuses mail for good where the domain says so', async () => {
    await using test = await startTestAgent((folder) => {
      fill(join(folder, 'mail', 'alice'), 900);
      const mailboxSettings = { alice: { quota: 1000 } };
      return exampleOrg(folder, { quota: '1GB', mailboxSettings, refuseOverQuota: true });
    });
    await using session = await begin(test.port, ' SIZE=200');
    expect(await session.lines('RCPT TO:<alice@example.org>')).toEqual(['552 5.2.2 The mailbox is full']);
    await using other = await begin(test.port, ' SIZE=50');
    expect((await other.lines('RCPT TO:<alice@example.org>'))[0]).toMatch(/^250 /);
  });

  it('CMD-RCPT-11 LOC-MD-1 counts what it is given, and lets the message wait that no longer fits', async () => {
    await using test = await startTestAgent((folder) => exampleOrg(folder, { quota: 2500 }));
    const mail = { from: '<bob@example.org>', to: ['<alice@example.org>'], text: text(1800) };
    expect((await sendMail(test.port, mail))[0]).toMatch(/^250 /);
    await mailIn(test, 'alice', 1);
    expect((await sendMail(test.port, mail))[0]).toMatch(/^250 /);
    const deferred = () => test.log.lines.filter(({ text: kind }) => kind === 'deferred').map(({ fields }) => fields);
    await expect.poll(deferred).toMatchObject([{ status: '4.2.2' }]);
    await using session = await begin(test.port, ' SIZE=1800');
    expect(await session.lines('RCPT TO:<alice@example.org>')).toEqual(['452 4.2.2 The mailbox is full']);
    await mailIn(test, 'alice', 1);
  });

  it('CMD-RCPT-11 that is one file is measured by its size', async () => {
    await using test = await startTestAgent((folder) => {
      writeFileSync(join(folder, 'alice'), Buffer.alloc(990));
      return exampleOrg(folder, { deliver: `mbox:${folder}/{local}`, quota: 1000 });
    });
    await using session = await begin(test.port, ' SIZE=20');
    expect(await session.lines('RCPT TO:<alice@example.org>')).toEqual(['452 4.2.2 The mailbox is full']);
    expect((await session.lines('RCPT TO:<bob@example.org>'))[0]).toMatch(/^250 /);
  });

  it('CMD-RCPT-11 EXT-SIZE-3 REP-552 ENH-2/5.2.3 refuses what is larger than it takes, at RCPT and behind the text', async () => {
    await using test = await startTestAgent((folder) =>
      exampleOrg(folder, { aliases: { a: ['alice'] }, mailboxSettings: { alice: { messageSize: 1000 } } }),
    );
    await using session = await begin(test.port, ' SIZE=1001');
    for (const name of ['alice', 'a'])
      expect(await session.lines(`RCPT TO:<${name}@example.org>`)).toEqual([
        '552 5.2.3 The message is larger than the mailbox takes',
      ]);
    expect((await session.lines('RCPT TO:<bob@example.org>'))[0]).toMatch(/^250 /);
    const declared = { from: '<bob@example.org> SIZE=1000', to: ['<alice@example.org>'], text: text(990) };
    expect((await sendMail(test.port, declared))[0]).toMatch(/^250 /);
    const large = text(3600);
    expect(await sendMail(test.port, { to: ['<alice@example.org>'], text: large })).toEqual([
      '552 5.2.3 The message is larger than the mailbox takes',
    ]);
    const both = { from: '<bob@example.org>', to: ['<alice@example.org>', '<bob@example.org>'], text: large };
    expect((await sendMail(test.port, both))[0]).toMatch(/^250 /);
    const mails = await mailIn(test, 'bob', 2);
    expect(mails.find((mail) => mail.includes('Action: failed'))).toContain('Status: 5.2.3');
    await mailIn(test, 'alice', 1);
  });

  it('CMD-RCPT-11 REP-451 ENH-3/4.3.0 that cannot be looked up is no fault of the sender', async () => {
    await using test = await startTestAgent((folder) => {
      writeFileSync(join(folder, 'mail'), 'no folder');
      return exampleOrg(folder, { quota: 1000 });
    });
    await using session = await begin(test.port);
    expect(await session.lines('RCPT TO:<alice@example.org>')).toEqual([
      '451 4.3.0 The mailbox cannot be looked up now',
    ]);
  });
});

describe('who moved', () => {
  it('EX-2 CMD-RCPT-7 CMD-RCPT-8 LOC-FW-1 is forwarded to, or stored nowhere', async () => {
    await using hop = await startNextHop();
    await using test = await startTestAgent((folder) => ({
      domains: {
        'usc-isi.arpa': {
          deliver: `maildir:${folder}/mail/{local}`,
          forwards: {
            Postel: { to: 'Postel@USC-ISIF.ARPA', mode: 'tell' },
            Paul: { to: 'Mockapetris@USC-ISIF.ARPA', mode: 'refuse' },
          },
        },
      },
      routes: [{ domain: '*', to: hop.to }],
    }));
    await using session = await begin(test.port);
    expect(await session.lines('RCPT TO:<Postel@USC-ISI.ARPA>')).toEqual([
      '251 2.1.5 User not local; will forward to <Postel@USC-ISIF.ARPA>',
    ]);
    expect(await session.lines('RCPT TO:<Paul@USC-ISI.ARPA>')).toEqual([
      '551 5.1.6 User not local; please try <Mockapetris@USC-ISIF.ARPA>',
    ]);
    await session.lines('DATA');
    expect((await session.lines('Subject: x\r\n\r\nHello\r\n.'))[0]).toMatch(/^250 /);
    await expect.poll(() => hop.taken.length).toBe(1);
    expect(hop.taken[0]).toMatchObject({ rcpt: [expect.stringContaining('<Postel@USC-ISIF.ARPA>')] });
    expect(hop.taken[0]?.mail).toContain('<a@x.example>');
    await expect.poll(() => test.agent.store.count()).toBe(0);
    expect(hop.taken).toHaveLength(1);
    await expect(stat(join(test.folder, 'mail'))).rejects.toThrow();
  });

  it('LOC-FW-1 DSN-13 keeps a copy, keeps null senders null, and has both reported', async () => {
    await using hop = await startNextHop({ offers: ['DSN'] });
    await using test = await startTestAgent((folder) => ({
      ...exampleOrg(folder, { forwards: { joe: { to: 'joe@far.example', keepCopy: true } } }),
      routes: [{ domain: '*', to: hop.to }],
    }));
    await sendMail(test.port, { from: '<>', to: ['<joe@example.org>'] });
    await mailIn(test, 'joe', 1);
    await expect.poll(() => hop.taken.length).toBe(1);
    expect(hop.taken[0]?.mail).toContain('FROM:<>');
    await sendMail(test.port, { from: '<bob@example.org>', to: ['<joe+x@example.org> NOTIFY=SUCCESS'] });
    expect((await mailIn(test, 'bob', 1))[0]).toContain('Action: expanded');
    expect(
      (await mailIn(test, 'joe', 2)).filter((mail) => mail.includes('Delivered-To: joe+x@example.org\n')),
    ).toHaveLength(1);
  });

  it('LOC-FW-2 in confidence shows nobody where: own sender, own report, failures to the postmaster', async () => {
    await using hop = await startNextHop({
      offers: ['DSN'],
      reply: (verb) => (verb === 'RCPT' ? '550 5.1.1 Nobody <secret@far.example> here' : undefined),
    });
    await using test = await startTestAgent((folder) => ({
      ...exampleOrg(folder, {
        mailboxes: ['bob', 'postmaster'],
        forwards: { joe: { to: 'secret@far.example', mode: 'tell', confidential: true, keepCopy: true } },
      }),
      routes: [{ domain: '*', to: hop.to }],
    }));
    const to = ['<joe@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;joe@example.org'];
    await sendMail(test.port, { from: '<bob@example.org> ENVID=mine RET=FULL', to });
    await mailIn(test, 'joe', 1);
    const [failure = ''] = await mailIn(test, 'postmaster', 1);
    expect(failure).toContain('Final-Recipient: rfc822; secret@far.example');
    const reports = await mailIn(test, 'bob', 1);
    expect(reports.join('\n')).not.toContain('far.example');
    expect(reports.join('\n')).toMatch(/Action: (?:expanded|delivered)/);
    await expect.poll(() => test.agent.store.count()).toBe(0);
    await mailIn(test, 'bob', 1);
  });

  it('LOC-FW-2 in confidence goes round in no circle', async () => {
    await using test = await startTestAgent((folder) =>
      exampleOrg(folder, {
        forwards: {
          one: { to: 'two@example.org', confidential: true },
          two: { to: 'one@example.org', confidential: true },
        },
      }),
    );
    await sendMail(test.port, { from: '<bob@example.org>', to: ['<one@example.org>'] });
    await expect.poll(() => test.agent.store.count()).toBe(0);
    const failed = test.log.lines.filter(({ text: kind }) => kind === 'failed');
    expect(failed.map(({ fields }) => fields)).toMatchObject([{ status: '5.4.6' }]);
  });
});

describe('a number of the telephone network', () => {
  const domains = (folder: string): ConfigInput['domains'] => ({
    'example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: '*' },
    'gw.example': {
      deliver: `maildir:${folder}/mail/{local}`,
      mailboxes: ['bob'],
      gateway: { deliver: `maildir:${folder}/faxes`, services: ['FAX'] },
    },
  });

  it('EXT-GSTN-1 EXT-GSTN-2 goes to the gateway of its domain whole, once for each way to write it; bad digits are refused', async () => {
    await using test = await startTestAgent((folder) => ({ domains: domains(folder) }));
    await using session = await begin(test.port);
    const rcpt = async (local: string) => (await session.lines(`RCPT TO:<${local}@gw.example>`))[0];
    expect(await rcpt('FAX=+39-02.03/T33S=0123')).toMatch(/^250 /);
    expect(await rcpt('fax=+390203/t33s=0123')).toMatch(/^250 /);
    expect(await rcpt('/FAX=+390204/')).toMatch(/^250 /);
    expect(await rcpt('FAX=+39x')).toBe('553 5.1.3 No number that can be dialled');
    expect(await rcpt('FAX=+390203/T33S=12a')).toMatch(/^553 5\.1\.3 /);
    expect(await rcpt('VOICE=+390203')).toMatch(/^550 5\.1\.1 /);
    expect(await rcpt('bob+fax')).toMatch(/^250 /);
    await session.lines('DATA');
    expect((await session.lines('Subject: x\r\n\r\n.'))[0]).toMatch(/^250 /);
    await mailIn(test, 'bob', 1);
    await mailIn({ folder: join(test.folder, 'faxes/..') }, '../faxes', 2);
  });

  it('EXT-GSTN-1 LOC-3 is not split at its plus, nor where there is no gateway', async () => {
    await using test = await startTestAgent((folder) => ({ domains: domains(folder) }));
    await sendMail(test.port, { to: ['<FAX=+390203@example.org>', '<joe+fax@example.org>'] });
    await mailIn(test, 'joe', 1);
    expect((await mailIn(test, 'fax=+390203', 1))[0]).toContain('Delivered-To: FAX=+390203@example.org');
  });
});

describe('the postmaster', () => {
  it('ADR-16 of a host without mailboxes has his mail kept in its data', async () => {
    await using test = await startTestAgent(() => ({ domains: {} }));
    expect((await sendMail(test.port, { to: ['<Postmaster>', '<postmaster@mx.example.org>'] }))[0]).toMatch(/^250 /);
    await mailIn({ folder: join(test.folder, 'data') }, '../postmaster', 1);
    expect(await sendMail(test.port, { to: ['<alice@mx.example.org>'] })).not.toEqual([expect.stringMatching(/^250 /)]);
  });
});

it('LOC-MD-1 tells the size of a message in its name', async () => {
  await using test = await startTestAgent();
  await sendMail(test.port, { to: ['<alice@example.org>'] });
  const [mail = ''] = await mailIn(test, 'alice', 1);
  const [name = ''] = await readdir(join(test.folder, 'mail', 'alice', 'new'));
  expect(name).toMatch(new RegExp(`,S=${mail.length}$`));
  expect((await readFile(join(test.folder, 'mail', 'alice', 'new', name))).length).toBe(mail.length);
});
