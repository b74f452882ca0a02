import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mailIn, sendMail, startTestAgent, type TestAgent } from '../../packages/posthorn/test/mta/fixture.ts';
import { malware, signingKey, startClamavMilter, startClamd, startOpendkim, startRspamd } from './peers/filters.ts';
import { hasPeers, type Peer } from './peers/peer.ts';

type Filters =
  NonNullable<Parameters<typeof startTestAgent>[0]> extends (folder: string) => infer Config
    ? NonNullable<Config extends { contentFilters?: infer List } ? List : never>
    : never;

const at = ({ port }: Peer) => `127.0.0.1:${port}`;
const withFilters = (...contentFilters: Filters) => startTestAgent(() => ({ contentFilters }));
const message = (fields: string, body = 'hello\r\n') =>
  `From: bob@example.com\r\nTo: ann@example.org\r\nSubject: plans\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\n${fields}\r\n${body}`;

async function send(test: TestAgent, text: string): Promise<string> {
  const [reply = ''] = await sendMail(test.port, { to: ['<ann@example.org>'], text });
  return reply;
}

describe.skipIf(!hasPeers('clamd', 'clamav-milter'))('ClamAV', () => {
  it('DSN-18 finds malware in a stream: refused or thrown away, over TCP and over a socket', async () => {
    await using clamd = await startClamd();
    const socket = join(clamd.folder, 'clamd.sock');
    await using refusing = await withFilters({ kind: 'clamav', address: at(clamd), limit: '2MB' });
    await using discarding = await withFilters({ kind: 'clamav', address: socket, limit: '2MB', action: 'discard' });
    const infected = message('', `some\r\n${malware}\r\n`);
    const late = message('', `${'0123456789abcde\r\n'.repeat(70_000)}${malware}\r\n`);
    for (const text of [infected, late]) {
      expect(await send(refusing, text)).toMatch(/^554 5\.7\.1 The message holds malware: Posthorn\.Test/);
      expect(await send(discarding, text)).toBe('250 2.0.0 Ok: queued');
    }
    for (const test of [refusing, discarding]) {
      expect(test.agent.store.count()).toBe(0);
      expect(await send(test, message(''))).toMatch(/^250 2\.0\.0 Ok: queued as /);
      expect((await mailIn(test, 'ann', 1))[0]).toContain('hello');
    }
  }, 60_000);

  it('judges by its milter, which marks what is clean', async () => {
    await using clamd = await startClamd();
    await using milter = await startClamavMilter(clamd);
    await using test = await withFilters({ kind: 'milter', address: at(milter) });
    expect(await send(test, message('', `some\r\n${malware}\r\n`))).toMatch(/^550 5\.7\.1 Infected by Posthorn\.Test/);
    expect(await send(test, message('X-Virus-Status: Forged\r\n'))).toMatch(/^250/);
    const [mail = ''] = await mailIn(test, 'ann', 1);
    expect(mail).toMatch(/^X-Virus-Status: Clean\r?$/m);
    expect(mail).toMatch(/^X-Virus-Scanned: clamav-milter/m);
    expect(mail).not.toContain('Forged');
  }, 60_000);
});

describe.skipIf(!hasPeers('opendkim'))('OpenDKIM', () => {
  it('signs as a milter what another one verifies behind it, session after session', async () => {
    const key = signingKey();
    await using signer = await startOpendkim('sign', key);
    await using verifier = await startOpendkim('verify', key);
    await using test = await withFilters(
      { kind: 'milter', address: at(signer) },
      { kind: 'milter', address: at(verifier) },
    );
    const texts = [
      message(''),
      message(
        'X-Folded: one\r\n two  three\r\n\tfour\r\nX-Empty:\r\n',
        'many\r\n\r\n\r\n.dots\r\n\r\n\r\n'.replace(/^\./gm, '..'),
      ),
      message('', '0123456789abcde\r\n'.repeat(50_000)),
    ];
    for (const text of texts) expect(await send(test, text)).toMatch(/^250/);
    for (const mail of await mailIn(test, 'ann', texts.length)) {
      expect(mail).toMatch(/^DKIM-Signature: v=1; a=rsa-sha256;/m);
      expect(mail.replace(/\r?\n[ \t]+/g, ' ')).toMatch(/^Authentication-Results: mx\.example\.org;.*dkim=pass/m);
    }
  }, 60_000);
});

describe.skipIf(!hasPeers('rspamd'))('Rspamd', () => {
  it('judges by HTTP: passes, marks, renames, puts off and refuses', async () => {
    await using rspamd = await startRspamd();
    await using test = await withFilters({ kind: 'rspamd', address: at(rspamd) });
    expect(await send(test, message('X-Test: reject\r\n'))).toMatch(/^554 5\.7\.1/);
    expect(await send(test, message('X-Test: grey\r\n'))).toMatch(/^451 4\.7\.1/);
    const passed = await send(test, message('X-Old: forged\r\n'));
    const [plain = ''] = await mailIn(test, 'ann', 1);
    const id = / queued as (\w+)/.exec(passed)?.[1];
    expect(plain).toMatch(
      new RegExp(`^X-Told: 127\\.0\\.0\\.1 bob@example\\.com 1 client\\.example ${id} \\d+\\r?$`, 'm'),
    );
    expect(plain).not.toContain('forged');
    expect(plain).not.toContain('X-Spam');
    expect(await send(test, message('X-Test: mark\r\n', '0123456789abcde\r\n'.repeat(50_000)))).toMatch(/^250/);
    expect(await send(test, message('X-Test: subject\r\n'))).toMatch(/^250/);
    const mails = await mailIn(test, 'ann', 3);
    expect(mails.filter((mail) => /^X-Spam: Yes\r?$/m.test(mail)).length).toBe(2);
    expect(mails.filter((mail) => /^Subject: \[spam\] plans\r?$/m.test(mail)).length).toBe(1);
  }, 60_000);
});
