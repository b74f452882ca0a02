import type { TlsaRecord } from '@posthorn/smtp/net/tlsa';
import { expect, it } from 'vitest';
import type { FixtureHost } from '../../packages/posthorn/src/dns/fixture-resolver.ts';
import { tlsLevels } from '../../packages/posthorn/src/routing/outbound-tls.ts';
import { formatStsPolicy } from '../../packages/posthorn/src/routing/sts-policy.ts';
import { sendMail } from '../../packages/posthorn/test/mta/fixture.ts';
import { network } from './loopback.ts';
import { Parts } from './network.ts';
import { createAuthority } from './peers/authority.ts';
import { hasPeers } from './peers/peer.ts';
import {
  type CertificateFiles,
  outcomesOf,
  policyAddress,
  startPolicyHost,
  startResolver,
  startTakingHost,
  startValidatingAgent,
  type TakingHost,
  tlsaOf,
} from './tls-network.ts';

const able = hasPeers('knotd', 'unbound', 'openssl');

/** What hosts show, and what the DNS says of it. */
const hosts = [
  ['right', 'right name, TLSA for its authority'],
  ['other-name', 'wrong name, TLSA for its authority'],
  ['expired', 'expired, TLSA for its authority'],
  ['self-signed', 'self-signed, TLSA for an authority'],
  ['revoked', 'right name, TLSA for another key'],
  ['own-key', 'wrong name and expired, TLSA for its own key'],
  ['unusable', 'self-signed, TLSA of a usage that is not for mail'],
  ['no-records', 'right name, no TLSA'],
  ['bogus', 'right name, TLSA with a false signature'],
  ['stripped', 'STARTTLS taken away, TLSA for its authority'],
  ['plain', 'STARTTLS not offered, no TLSA'],
] as const;
type HostKind = (typeof hosts)[number][0];

const columns = [...tlsLevels, 'default'] as const;
const domainOf = (kind: HostKind, column: string) => `${kind}-${column}.example`;
it.skipIf(!able)(
  'CMD-TLS-10 SEC-DANE-1 SEC-DANE-2 SEC-DANE-4 SEC-STS-2 gives to each kind of host under each policy exactly what the policy says',
  { timeout: 90_000 },
  async () => {
    using authority = createAuthority();
    await using parts = new Parts();
    const tlsa: Record<HostKind, readonly TlsaRecord[]> = Object.fromEntries(
      hosts.map(([kind]) => [kind, [tlsaOf(authority.file, 2)]]),
    ) as never;
    const taking = new Map<HostKind, TakingHost>();
    const zone: Record<string, FixtureHost> = {};
    for (const [index, [kind]] of hosts.entries()) {
      const address = `${network}.${100 + index}`;
      const name = `mx-${kind}.example`;
      const certified = kind === 'other-name' || kind === 'own-key' ? 'elsewhere.example' : name;
      const selfSigned = kind === 'self-signed' || kind === 'unusable';
      const expired = kind === 'expired' || kind === 'own-key';
      const files: CertificateFiles = authority.certify(certified, address, {
        selfSigned,
        expired,
      });
      if (kind === 'revoked') tlsa[kind] = [tlsaOf(authority.file, 3)];
      if (kind === 'own-key') tlsa[kind] = [tlsaOf(files.cert, 3)];
      if (kind === 'unusable') tlsa[kind] = [tlsaOf(files.cert, 1)];
      if (kind === 'no-records' || kind === 'plain') tlsa[kind] = [];
      const hasTls = kind !== 'stripped' && kind !== 'plain';
      taking.set(kind, await parts.add(startTakingHost(address, hasTls ? files : undefined)));
      zone[name] = { a: [address] };
      zone[`_25._tcp.${name}`] = { tlsa: tlsa[kind] };
      for (const column of columns) zone[domainOf(kind, column)] = { mx: [[10, name]] };
      zone[`_mta-sts.${domainOf(kind, 'mta-sts')}`] = { txt: ['v=STSv1; id=1;'] };
      zone[`mta-sts.${domainOf(kind, 'mta-sts')}`] = { a: [policyAddress] };
    }
    // A host that must not be spoken to, or fails, leaves the next one to be tried.
    for (const [domain, first] of [
      ['after-revoked.example', 'mx-revoked.example'],
      ['after-bogus.example', 'mx-bogus.example'],
    ] as const) {
      zone[domain] = {
        mx: [
          [10, first],
          [20, 'mx-right.example'],
        ],
      };
    }
    const policyNames = hosts.map(([kind]) => `mta-sts.${domainOf(kind, 'mta-sts')}`);
    const web = authority.certify('mta-sts.example', policyAddress, { names: policyNames });
    const policies = await parts.add(startPolicyHost(policyAddress, web));
    for (const name of policyNames) {
      const kind = name.slice('mta-sts.'.length, -'-mta-sts.example'.length);
      policies.texts.set(name, {
        text: formatStsPolicy({ mode: 'enforce', mx: [`mx-${kind}.example`], maxAge: 86_400 }),
      });
    }
    await startResolver(parts, zone, { bogus: ['_25._tcp.mx-bogus.example'] });
    const levels = hosts.flatMap(([kind]) => tlsLevels.map((level) => [domainOf(kind, level), { level }] as const));
    const outboundTls = { domains: Object.fromEntries(levels) };
    const test = await parts.add(startValidatingAgent({ authority: authority.file, config: { outboundTls } }));
    const after = ['after-revoked.example', 'after-bogus.example'];
    const domains = hosts.flatMap(([kind]) => columns.map((column) => domainOf(kind, column)));
    await sendMail(test.port, { to: [...domains, ...after].map((domain) => `<u@${domain}>`) });
    const outcomes = await outcomesOf(test, domains.length + after.length);
    const cell = (kind: HostKind, column: string) => {
      const domain = domainOf(kind, column);
      const came = taking.get(kind)?.taken.find(({ to }) => to === domain);
      const outcome = outcomes.get(domain);
      if (outcome !== 'delivered') return came === undefined ? outcome : `${outcome}, and taken`;
      return came?.tls === undefined ? 'clear text' : 'TLS';
    };
    const rows = hosts.map(
      ([kind, text]) => `| ${[text, ...columns.map((column) => cell(kind, column))].join(' | ')} |`,
    );
    const table = [`| the host shows | ${columns.join(' | ')} |`, `|${' --- |'.repeat(columns.length + 1)}`, ...rows];
    await expect(`${introduction}\n${table.join('\n')}\n`).toMatchFileSnapshot('../../docs/tls-outcomes.md');
    const taken = taking.get('right')?.taken.map(({ to, tls }) => `${to} ${tls}`);
    for (const domain of after) expect(taken).toContain(`${domain} TLSv1.3`);
    // Each host is asked for the name that its records are for.
    for (const { serverName } of taking.get('right')?.taken ?? [])
      expect([undefined, 'mx-right.example']).toContain(serverName);
  },
);

const introduction = `# What becomes of mail under each policy of TLS

Made by the run of \`test/interop/outbound-tls.test.ts\`: mail to one domain for each cell, whose hosts are found through a
validating resolver of another make. The levels are those of \`outboundTls\`; \`default\` is \`may\`, raised by what the domain
publishes. In the column \`mta-sts\` the domain has a policy that names the host. A status means that the mail waits.
`;
