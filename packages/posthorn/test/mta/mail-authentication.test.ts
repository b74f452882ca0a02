import { describe, expect, it } from 'vitest';
import { formatKeyRecord } from '../../src/authentication/signing-key.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { FixtureZone } from '../../src/dns/fixture-resolver.ts';
import { newKey, signed } from '../authentication/signing.ts';
import { startDnsServer } from '../dns/dns-server.ts';
import { mailIn, startTestAgent, talk } from './fixture.ts';

const key = newKey('rsa');
const zone: FixtureZone = {
  'example.com': { txt: ['v=spf1 ip4:192.0.2.1 exp=why.example.com -all'], mx: [[10, 'mail.example.com']] },
  'why.example.com': { txt: ['%{i} is not one of ours'] },
  'mail.example.com': { txt: ['v=spf1 ip4:192.0.2.1 -all'], a: ['192.0.2.1'] },
  'faulty.example': { txt: ['v=spf1 nonsense'] },
  'down.example': { fails: ['TXT'] },
  'one._domainkey.example.com': { txt: [formatKeyRecord(key)] },
  '_dmarc.example.com': { txt: ['v=DMARC1; p=reject'] },
  '_dmarc.soft.example': { txt: ['v=DMARC1; p=quarantine'] },
};

type Change = NonNullable<ConfigInput['mailAuthentication']>;

/** An agent that strangers reach through a proxy, and a name system of its own. */
async function startStrangersAgent(mailAuthentication: Change = {}, more: Partial<ConfigInput> = {}) {
  const dns = await startDnsServer({ zone });
  const test = await startTestAgent(() => ({
    listeners: [{ role: 'mx', host: '127.0.0.1', port: 0, proxyProtocol: ['127.0.0.0/8'] }],
    dns: { servers: [dns.address] },
    mailAuthentication,
    ...more,
  }));
  return {
    ...test,
    dns,
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
      await dns[Symbol.asyncDispose]();
    },
  };
}

interface Sending {
  readonly from?: string;
  readonly client?: string;
  readonly hello?: string;
  readonly to?: string;
}

/** Sends one message from an address of the proxy's choice; gives the replies to MAIL and to the text. */
async function send(
  { port }: { readonly port: number },
  text: string,
  {
    from = 'bob@example.com',
    client = '192.0.2.1',
    hello = 'mail.example.com',
    to = 'alice@example.org',
  }: Sending = {},
): Promise<{ mail: string; text: string }> {
  const family = client.includes(':') ? 'TCP6 %s ::1' : 'TCP4 %s 127.0.0.1';
  const proxy = `PROXY ${family.replace('%s', client)} 4000 25\r\n`;
  const groups = [
    { send: `EHLO ${hello}\r\n`, replies: 1 },
    { send: `MAIL FROM:<${from}>\r\nRCPT TO:<${to}>\r\nDATA\r\n`, replies: 3 },
    { send: `${text}.\r\n`, replies: 1 },
  ];
  const replies = await talk(port, groups, proxy);
  return { mail: replies[2] ?? '', text: replies[5] ?? '' };
}

const message = 'From: Bob <bob@example.com>\r\nTo: alice@example.org\r\nSubject: Walk\r\n\r\nHello\r\n';
const headerOf = (mail = '') =>
  mail
    .slice(0, mail.indexOf('\n\n'))
    .replace(/\n[ \t]+/g, ' ')
    .split('\n');
const resultsOf = (mail = '') => headerOf(mail).filter((line) => line.startsWith('Authentication-Results:'));

describe('mail of strangers', () => {
  it('SEC-AR-1 SEC-SPF-1 SEC-DKIM-1 SEC-DMARC-1 SEC-ARC-1 says on top what was found, and nothing that was forged', async () => {
    await using agent = await startStrangersAgent();
    const forged =
      'Authentication-Results: MX.example.org; dmarc=pass\r\nAuthentication-Results: other.example; spf=pass\r\n';
    expect((await send(agent, forged + signed(message, key))).text).toMatch(/^250/);
    const [mail] = await mailIn(agent, 'alice', 1);
    const results = resultsOf(mail);
    expect(results).toHaveLength(2);
    expect(results[0]).toMatch(
      /^Authentication-Results: mx\.example\.org; spf=pass smtp\.mailfrom=bob@example\.com; spf=pass smtp\.helo=mail\.example\.com; dkim=pass header\.d=example\.com header\.s=one header\.a=rsa-sha256 header\.b=\S+; dmarc=pass header\.from=example\.com; arc=none$/,
    );
    expect(results[1]).toContain('other.example');
    const names = headerOf(mail).map((line) => line.slice(0, line.indexOf(':')));
    expect(names.indexOf('Authentication-Results')).toBeLessThan(names.indexOf('Received'));
  });

  it('SEC-DMARC-2 that its domain wants refused is only marked by default, and a forged mark is taken away', async () => {
    await using agent = await startStrangersAgent();
    const text = `Posthorn-Quarantine: no\r\n${message}`;
    expect((await send(agent, text, { client: '203.0.113.9', hello: 'x.example' })).text).toMatch(/^250/);
    expect((await send(agent, signed(message, key).replace('Walk', 'Run'), { client: '203.0.113.9' })).text).toMatch(
      /^250/,
    );
    const mails = await mailIn(agent, 'alice', 2);
    for (const mail of mails) {
      expect(headerOf(mail).filter((line) => line.startsWith('Posthorn-Quarantine'))).toEqual([
        'Posthorn-Quarantine: dmarc=fail header.from=example.com',
      ]);
      expect(resultsOf(mail)[0]).toContain('spf=fail smtp.mailfrom=bob@example.com');
    }
  });

  it('SEC-SPF-2 ENH-7d REP-550 REP-451 is refused by SPF where that is wanted', async () => {
    await using agent = await startStrangersAgent({ spf: 'reject' });
    const refused = await send(agent, message, { client: '203.0.113.9' });
    expect(refused.mail).toBe('550 5.7.23 example.com explains: 203.0.113.9 is not one of ours');
    expect((await send(agent, message, { from: 'a@down.example' })).mail).toMatch(/^451 4\.4\.3 /);
    expect((await send(agent, message, { from: 'a@faulty.example' })).text).toMatch(/^250/);
    expect((await send(agent, message)).text).toMatch(/^250/);
    await using strict = await startStrangersAgent({ spf: 'strict' });
    expect((await send(strict, message, { from: 'a@faulty.example' })).mail).toMatch(/^550 5\.7\.24 /);
  });

  it('SEC-DMARC-2 REP-550 is refused where that is wanted, unless a list or a forwarder seems to have had it', async () => {
    await using agent = await startStrangersAgent({ dmarc: 'reject' });
    const forger = { client: '203.0.113.9', hello: 'x.example', from: 'eve@x.example' };
    expect((await send(agent, message, forger)).text).toMatch(/^550 5\.7\.1 DMARC: example\.com /);
    expect((await send(agent, `List-Id: <x.y.example>\r\n${message}`, forger)).text).toMatch(/^250/);
    expect((await send(agent, message.replace('example.com>', 'soft.example>'), forger)).text).toMatch(/^250/);
    expect((await send(agent, signed(message, key), forger)).text).toMatch(/^250/);
    const mails = await mailIn(agent, 'alice', 3);
    expect(mails.filter((mail) => mail.includes('\nPosthorn-Quarantine:'))).toHaveLength(2);
  });

  it('SEC-DKIM-2 ENH-7d without a good signature is as good as any, unless one is required', async () => {
    await using agent = await startStrangersAgent({ dkim: { require: 'author' } });
    const stranger = { client: '192.0.2.1', from: 'bob@example.com' };
    expect((await send(agent, message, stranger)).text).toMatch(/^550 5\.7\.20 /);
    const other = message.replace('bob@example.com', 'bob@other.example');
    expect((await send(agent, signed(other, key), stranger)).text).toMatch(/^550 5\.7\.22 /);
    expect((await send(agent, message, { ...stranger, client: '203.0.113.9' })).text).toMatch(/^550 5\.7\.26 /);
    expect((await send(agent, signed(message, key), stranger)).text).toMatch(/^250/);
  });

  it('SEC-ARC-1 ENH-7d with a broken chain is refused only where that is wanted', async () => {
    const broken = `ARC-Seal: i=1; cv=none; a=rsa-sha256; d=a.example; s=s; b=AAAA\r\n${message}`;
    await using agent = await startStrangersAgent();
    expect((await send(agent, broken)).text).toMatch(/^250/);
    await using strict = await startStrangersAgent({ arc: { verify: 'reject' } });
    expect((await send(strict, broken)).text).toMatch(/^550 5\.7\.29 /);
    expect((await send(strict, message)).text).toMatch(/^250/);
  });

  it('SEC-AR-1 SEC-DKIM-1 is checked while it comes, however large it is', async () => {
    await using agent = await startStrangersAgent();
    const text = signed(message + 'A line of a long letter.\r\n'.repeat(60_000), key);
    expect((await send(agent, text)).text).toMatch(/^250/);
    const [mail = ''] = await mailIn(agent, 'alice', 1);
    expect(resultsOf(mail)[0]).toContain('dkim=pass header.d=example.com');
    expect(mail.length).toBeGreaterThan(60_000 * 25);
  });

  it('SEC-AR-1 on this machine and in relayFrom is never looked at, and costs no look-up', async () => {
    await using agent = await startStrangersAgent({ spf: 'reject' }, { relayFrom: ['198.51.100.0/24'] });
    for (const client of ['127.0.0.1', '198.51.100.7']) {
      expect((await send(agent, message, { client })).text).toMatch(/^250/);
    }
    const mails = await mailIn(agent, 'alice', 2);
    expect(mails.flatMap(resultsOf)).toEqual([]);
    expect(agent.dns.queries).toEqual([]);
  });

  it('SEC-DKIM-1 SEC-AR-1 EXT-CKPT-6 that was cut off and goes on is checked as a whole', async () => {
    await using agent = await startStrangersAgent();
    const text = `Authentication-Results: mx.example.org; dmarc=pass\r\n${signed(`${message}one\r\ntwo\r\n`, key)}`;
    const proxy = 'PROXY TCP4 192.0.2.1 127.0.0.1 4000 25\r\n';
    const hello = { send: 'EHLO mail.example.com\r\n', replies: 1 };
    const envelope = 'MAIL FROM:<bob@example.com> TRANSID=<1.a@mail.example.com>\r\n';
    const open = { send: `${envelope}RCPT TO:<alice@example.org>\r\nDATA\r\n`, replies: 3 };
    // The end of the groups ends the connection, in the midst of the text.
    await talk(agent.port, [hello, open, { send: text.slice(0, text.indexOf('two')), replies: 0 }], proxy);
    let offset = 0;
    await expect
      .poll(async () => {
        const replies = await talk(agent.port, [hello, { send: envelope, replies: 1 }], proxy);
        offset = Number(/^355 (\d+)/.exec(replies[2] ?? '')?.[1] ?? 0);
        return offset;
      })
      .toBeGreaterThan(text.indexOf('Hello'));
    const rest = [
      hello,
      { send: `${envelope}DATA\r\n`, replies: 2 },
      { send: `${text.slice(offset)}.\r\n`, replies: 1 },
    ];
    expect((await talk(agent.port, rest, proxy)).at(-1)).toMatch(/^250/);
    const [mail] = await mailIn(agent, 'alice', 1);
    expect(resultsOf(mail)).toHaveLength(1);
    expect(resultsOf(mail)[0]).toContain('dkim=pass header.d=example.com');
  });
});
