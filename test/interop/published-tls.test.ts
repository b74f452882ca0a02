import { readFileSync } from 'node:fs';
import { openConnection } from '@posthorn/smtp/client/open-connection';
import { expect, it } from 'vitest';
import type { FixtureHost } from '../../packages/posthorn/src/dns/fixture-resolver.ts';
import { formatStsPolicy } from '../../packages/posthorn/src/routing/sts-policy.ts';
import { mailIn, sendMail, startTestAgent, type TestAgent } from '../../packages/posthorn/test/mta/fixture.ts';
import { network } from './loopback.ts';
import { Parts } from './network.ts';
import { createAuthority } from './peers/authority.ts';
import { hasPeers } from './peers/peer.ts';
import { startPostfix } from './peers/postfix.ts';
import {
  outcomesOf,
  policyAddress,
  resolverAddress,
  startPolicyHost,
  startResolver,
  startTakingHost,
  startValidatingAgent,
  tlsaOf,
} from './tls-network.ts';

const able = hasPeers('knotd', 'unbound', 'openssl');

const recordOf = (id: string) => ({ txt: [`v=STSv1; id=${id};`] });
const policyOf = (mode: 'enforce' | 'testing' | 'none', ...mx: string[]) => ({
  text: formatStsPolicy({ mode, mx, maxAge: 86_400 }),
});

it.skipIf(!able || !hasPeers('postfix', 'unshare'))(
  'SEC-DANE-1 SEC-DANE-4 CMD-TLS-9 exchanges mail with Postfix, each verified by the other with DANE',
  { timeout: 60_000 },
  async () => {
    using authority = createAuthority();
    await using parts = new Parts();
    const places = { posthorn: `${network}.70`, postfix: `${network}.71`, wrong: `${network}.72` };
    // Nobody trusts these: the TLSA records alone count.
    const own = authority.certify('mx.posthorn.example', places.posthorn, { selfSigned: true });
    const others = authority.certify('mx.postfix.example', places.postfix, { selfSigned: true });
    await startResolver(parts, {
      'posthorn.example': { mx: [[10, 'mx.posthorn.example']] },
      'mx.posthorn.example': { a: [places.posthorn] },
      '_25._tcp.mx.posthorn.example': { tlsa: [tlsaOf(own.cert, 3)] },
      'postfix.example': { mx: [[10, 'mx.postfix.example']] },
      'mx.postfix.example': { a: [places.postfix] },
      '_25._tcp.mx.postfix.example': { tlsa: [tlsaOf(others.cert, 3)] },
      // The same host for whom expects another one.
      'wrong.example': { mx: [[10, 'mx.wrong.example']] },
      'mx.wrong.example': { a: [places.posthorn] },
      '_25._tcp.mx.wrong.example': { tlsa: [tlsaOf(others.cert, 3)] },
      'false.example': { mx: [[10, 'mx.false.example']] },
      'mx.false.example': { a: [places.postfix] },
      '_25._tcp.mx.false.example': { tlsa: [tlsaOf(own.cert, 3)] },
    });
    const postfix = await parts.add(
      startPostfix({
        place: { host: places.postfix, port: 25 },
        nameServer: resolverAddress,
        mailboxes: ['u@postfix.example'],
        settings: {
          myhostname: 'mx.postfix.example',
          smtp_dns_support_level: 'dnssec',
          smtp_host_lookup: 'dns',
          smtp_tls_security_level: 'dane',
          smtp_tls_loglevel: '1',
          smtpd_tls_security_level: 'may',
          smtpd_tls_cert_file: others.cert,
          smtpd_tls_key_file: others.key,
        },
      }),
    );
    const test = await parts.add(
      startTestAgent((folder) => ({
        hostname: 'mx.posthorn.example',
        listeners: [
          { role: 'mx', host: '127.0.0.1', port: 0 },
          { role: 'mx', host: places.posthorn, port: 25 },
        ],
        tls: own,
        relayFrom: ['127.0.0.0/8'],
        domains: { 'posthorn.example': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: '*' } },
        dns: { servers: [resolverAddress], validating: true },
        queue: { retry: ['1h'] },
      })),
    );
    const to = ['<u@postfix.example>', '<u@false.example>'];
    await sendMail(test.port, { from: '<ann@posthorn.example>', to });
    expect(Object.fromEntries(await outcomesOf(test, 2))).toEqual({
      'postfix.example': 'delivered',
      'false.example': '4.7.5',
    });
    expect(postfix.mailbox('u@postfix.example')).toHaveLength(1);

    const text = Buffer.from('From: u@postfix.example\nTo: u@posthorn.example\nSubject: hello\n\nhello\n');
    postfix.send({ from: 'u@postfix.example', to: ['u@posthorn.example', 'u@wrong.example'], text });
    const [mail] = await mailIn(test, 'u', 1);
    expect(mail).toMatch(/with ESMTPS /);
    expect(postfix.log()).toContain('Verified TLS connection established to mx.posthorn.example');
    await expect.poll(() => postfix.log(), { timeout: 10_000 }).toContain('Server certificate not verified');
  },
);

it.skipIf(!able)(
  'SEC-STS-1 SEC-STS-2 SEC-STS-3 heeds the policies of domains, and takes none that is not offered as it must be',
  { timeout: 60_000 },
  async () => {
    using authority = createAuthority();
    await using parts = new Parts();
    const [first, second] = [`${network}.80`, `${network}.81`];
    const certified = authority.certify('mx.sts.example', first);
    const host = await parts.add(startTakingHost(first, certified));
    const other = await parts.add(
      startTakingHost(second, authority.certify('x.example', second, { selfSigned: true })),
    );
    // What is offered, and what comes of mail to a host with a certificate that fits, and to one without.
    const cases: Record<string, { policy?: ReturnType<typeof policyOf> & { status?: number; type?: string } }> = {
      enforce: { policy: policyOf('enforce', 'mx.sts.example') },
      wildcard: { policy: policyOf('enforce', '*.sts.example') },
      elsewhere: { policy: policyOf('enforce', 'mx.elsewhere.example') },
      false: { policy: policyOf('enforce', 'other.sts.example') },
      testing: { policy: policyOf('testing', 'other.sts.example') },
      none: { policy: policyOf('none') },
      moved: { policy: { ...policyOf('enforce', 'mx.elsewhere.example'), status: 302 } },
      markup: { policy: { ...policyOf('enforce', 'mx.elsewhere.example'), type: 'text/html' } },
      large: { policy: { text: `${policyOf('enforce', 'mx.elsewhere.example').text}${'x: y\r\n'.repeat(12_000)}` } },
      untold: {},
      doubled: { policy: policyOf('enforce', 'mx.elsewhere.example') },
      uncertified: { policy: policyOf('enforce', 'mx.elsewhere.example') },
    };
    const names = Object.keys(cases);
    const zone: Record<string, FixtureHost> = {
      'mx.sts.example': { a: [first] },
      'other.sts.example': { a: [second] },
    };
    for (const name of names) {
      zone[`${name}.example`] = {
        mx: [[10, name === 'false' || name === 'testing' ? 'other.sts.example' : 'mx.sts.example']],
      };
      zone[`_mta-sts.${name}.example`] =
        name === 'doubled' ? { txt: ['v=STSv1; id=1;', 'v=STSv1; id=2;'] } : recordOf('1');
      zone[`mta-sts.${name}.example`] = { a: [policyAddress] };
    }
    const web = authority.certify('mta-sts.example', policyAddress, {
      names: names.filter((name) => name !== 'uncertified').map((name) => `mta-sts.${name}.example`),
    });
    const policies = await parts.add(startPolicyHost(policyAddress, web));
    for (const [name, { policy }] of Object.entries(cases)) {
      if (policy !== undefined) policies.texts.set(`mta-sts.${name}.example`, policy);
    }
    await startResolver(parts, zone, { unsigned: ['example'] });
    const test = await parts.add(startValidatingAgent({ authority: authority.file }));
    await sendMail(test.port, { to: names.map((name) => `<u@${name}.example>`) });
    expect(Object.fromEntries(await outcomesOf(test, names.length))).toEqual({
      'enforce.example': 'delivered',
      'wildcard.example': 'delivered',
      'elsewhere.example': '4.7.5',
      'false.example': '4.7.5',
      'testing.example': 'delivered',
      'none.example': 'delivered',
      'moved.example': 'delivered',
      'markup.example': 'delivered',
      'large.example': 'delivered',
      'untold.example': 'delivered',
      'doubled.example': 'delivered',
      'uncertified.example': 'delivered',
    });
    expect(host.taken).toHaveLength(9);
    expect(other.taken.map(({ to }) => to)).toEqual(['testing.example']);
    expect(policies.asked).not.toContain('mta-sts.doubled.example');
    expect(policies.asked.filter((name) => name === 'mta-sts.enforce.example')).toHaveLength(1);

    // The sender may want it delivered all the same, and a message in confidence has its proof by the policy.
    const optional = 'Subject: x\r\nTLS-Required: No\r\n\r\nHello\r\n';
    const before = test.log.lines.length;
    await sendMail(test.port, { to: ['<u@elsewhere.example>', '<u@false.example>'], text: optional });
    const later = () => test.log.lines.slice(before).filter(({ text }) => text === 'delivered' || text === 'deferred');
    await expect.poll(() => later().map(({ text }) => text)).toEqual(['delivered', 'delivered']);
  },
);

it.skipIf(!able)(
  'EXT-RTLS-2 EXT-RTLS-4 SEC-STS-2 lets a policy prove the host of a message in confidence, which its header cannot undo',
  { timeout: 60_000 },
  async () => {
    using authority = createAuthority();
    await using parts = new Parts();
    const address = `${network}.85`;
    const files = authority.certify('mx.sts.example', address);
    const host = await parts.add(startTakingHost(address, files, { extensions: { requireTls: true } }));
    const web = authority.certify('mta-sts.kept.example', policyAddress);
    const policies = await parts.add(startPolicyHost(policyAddress, web));
    policies.texts.set('mta-sts.kept.example', policyOf('enforce', 'mx.sts.example'));
    await startResolver(
      parts,
      {
        'mx.sts.example': { a: [address] },
        'kept.example': { mx: [[10, 'mx.sts.example']] },
        '_mta-sts.kept.example': recordOf('1'),
        'mta-sts.kept.example': { a: [policyAddress] },
        'bare.example': { mx: [[10, 'mx.sts.example']] },
      },
      { unsigned: ['example'] },
    );
    const own = authority.certify('mx.home.example', '127.0.0.1');
    const test = await parts.add(startValidatingAgent({ authority: authority.file, config: { tls: own } }));
    const text = Buffer.from('Subject: secret\r\nTLS-Required: No\r\n\r\nhush\r\n');
    await sendSecret(test, authority.file, { to: ['u@kept.example', 'u@bare.example'], text });
    // The report goes its own way.
    const decided = () =>
      test.log.lines.flatMap(({ text, fields }) => {
        const { to = '' } = fields as { to?: string };
        return to.startsWith('u@') && (text === 'delivered' || text === 'failed') ? [`${text} ${to}`] : [];
      });
    await expect.poll(() => decided().sort()).toEqual(['delivered u@kept.example', 'failed u@bare.example']);
    expect(host.taken.map(({ to }) => to)).toEqual(['kept.example']);
  },
);

/** Sends over TLS, with REQUIRETLS. */
async function sendSecret(
  { port }: TestAgent,
  authority: string,
  { to, text }: { readonly to: readonly string[]; readonly text: Buffer },
): Promise<void> {
  await using connection = await openConnection({
    host: '127.0.0.1',
    port,
    serverName: 'mx.home.example',
    tls: 'starttls',
    tlsMaterial: { ca: readFileSync(authority) },
    name: 'client.example',
  });
  const envelope = { from: 'ann@client.example', to: [...to], mail: { requireTls: true } } as const;
  expect(await connection.send({ envelope, text })).toMatchObject({ ok: true });
}
