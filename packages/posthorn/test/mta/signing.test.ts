import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { headerFields, splitMessage } from '@posthorn/smtp/message/header';
import { createServer } from '@posthorn/smtp/server';
import { describe, expect, it } from 'vitest';
import { BodyDigests } from '../../src/authentication/body-digest.ts';
import { ArcVerification } from '../../src/authentication/verify-arc.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { newKey, resolverWith, verified } from '../authentication/signing.ts';
import { startDnsServer } from '../dns/dns-server.ts';
import { sendMail, startTestAgent, talk } from './fixture.ts';

const rsa = newKey('rsa', { domain: 'example.org', selector: 'rsa' });
const ed25519 = newKey('ed25519', { domain: 'example.org', selector: 'ed' });
const keys = resolverWith(rsa, ed25519);
const now = Date.UTC(2026, 10, 25);

/** The next hop: it keeps the texts that come. */
async function startNextHop(extensions: { readonly body8bit?: false } = {}) {
  const texts: string[] = [];
  const server = createServer({
    hostname: 'next.example',
    handlers: {
      async message(_session, _transaction, text) {
        const pieces: Buffer[] = [];
        for await (const piece of text) pieces.push(piece);
        texts.push(Buffer.concat(pieces).toString('latin1'));
        return { code: 250, lines: ['Ok'] };
      },
      recipient: () => undefined,
    },
    ...extensions,
  });
  const { port } = (await server.listen({ role: 'mx', host: '127.0.0.1', port: 0 })) as { port: number };
  return { port, texts, [Symbol.asyncDispose]: () => server.close({ grace: 0 }) };
}

function keyFile(folder: string, key: typeof rsa): string {
  const path = join(folder, `${key.selector}.pem`);
  writeFileSync(path, key.key.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  return path;
}

const entry = (folder: string, key: typeof rsa) => ({
  domain: key.domain,
  selector: key.selector,
  key: keyFile(folder, key),
});

const config = (folder: string, port: number): Partial<ConfigInput> => ({
  relayFrom: ['127.0.0.0/8'],
  routes: [{ domain: '*', to: `smtp://127.0.0.1:${port}` }],
  mailAuthentication: { dkim: { sign: [entry(folder, rsa), entry(folder, ed25519)] } },
});

const text = 'From: Alice <alice@example.org>\r\nTo: bob@example.net\r\nSubject: Walk\r\n\r\nHello \r\nyou\r\n';

describe('mail of one’s own', () => {
  it('SEC-DKIM-2 SUB-6 leaves with a signature of each key of its author’s domain, in the octets that are sent', async () => {
    await using hop = await startNextHop();
    await using agent = await startTestAgent((folder) => config(folder, hop.port), { now: () => now });
    const large = text + 'A line of a long letter, with a stuffed one behind it.\r\n..\r\n'.repeat(10_000);
    await sendMail(agent.port, { to: ['<bob@example.net>'], text }, { to: ['<bob@example.net>'], text: large });
    await expect.poll(() => hop.texts.length).toBe(2);
    for (const each of hop.texts) {
      const results = await verified(each, keys, { now });
      expect(results.map(({ result, selector }) => [selector, result])).toEqual([
        ['rsa', 'pass'],
        ['ed', 'pass'],
      ]);
      expect(each).toMatch(/^DKIM-Signature: /);
    }
  });

  it('SEC-DKIM-2 of another author, or of none, is not signed', async () => {
    await using hop = await startNextHop();
    await using agent = await startTestAgent((folder) => config(folder, hop.port));
    const others = [text.replace('alice@example.org', 'a@example.org.evil'), 'Subject: x\r\n\r\nHello\r\n'];
    await sendMail(agent.port, ...others.map((each) => ({ to: ['<bob@example.net>'], text: each })));
    await expect.poll(() => hop.texts.length).toBe(2);
    for (const each of hop.texts) expect(each).not.toContain('DKIM-Signature');
  });
});

describe('mail of strangers that is passed on', () => {
  it('SEC-ARC-1 leaves with a seal, and is never signed as one’s own', async () => {
    await using hop = await startNextHop();
    await using dns = await startDnsServer({ zone: { 'example.com': { txt: ['v=spf1 +all'] } } });
    await using agent = await startTestAgent((folder) => ({
      ...config(folder, hop.port),
      relayFrom: [],
      listeners: [{ role: 'mx', host: '127.0.0.1', port: 0, proxyProtocol: ['127.0.0.0/8'] }],
      dns: { servers: [dns.address] },
      domains: {
        'example.org': {
          deliver: `maildir:${folder}/mail/{local}`,
          mailboxes: '*',
          aliases: { away: ['bob@example.net'] },
          lists: { walks: { members: ['bob@example.net'], owner: ['owner'], postedBy: 'anyone' } },
        },
      },
      mailAuthentication: {
        dkim: { sign: [entry(folder, rsa)] },
        arc: { seal: entry(folder, rsa) },
      },
    }));
    const forged = 'Authentication-Results: mx.example.org; arc=pass\r\n';
    await talk(
      agent.port,
      [
        { send: 'EHLO mail.example.com\r\n', replies: 1 },
        {
          send: 'MAIL FROM:<eve@example.com>\r\nRCPT TO:<away@example.org>\r\nRCPT TO:<walks@example.org>\r\nDATA\r\n',
          replies: 4,
        },
        { send: `${forged}${text}.\r\n`, replies: 1 },
      ],
      'PROXY TCP4 203.0.113.9 127.0.0.1 4000 25\r\n',
    );
    await expect.poll(() => hop.texts.length, { timeout: 10_000 }).toBe(2);
    for (const each of hop.texts) {
      const { header, body } = splitMessage(Buffer.from(each, 'latin1'));
      const digests = new BodyDigests();
      const chain = new ArcVerification([...headerFields(header)], digests, Date.now());
      digests.write(body);
      expect(await chain.result(keys)).toMatchObject({ result: 'pass', sets: 1, domain: 'example.org' });
      expect(each).toMatch(/ARC-Authentication-Results: i=1; mx\.example\.org; spf=pass[^\r]*arc=none/);
      expect(each).not.toContain('DKIM-Signature');
    }
  });
});
