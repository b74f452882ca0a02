import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/config/check-config.ts';
import { tryAsStranger } from '../../src/mta/stranger-trial.ts';

const octet = fc.integer({ min: 0, max: 255 });
const networks = fc.array(
  fc.oneof(
    fc.tuple(octet, octet, fc.integer({ min: 0, max: 32 })).map(([one, two, prefix]) => `${one}.${two}.0.0/${prefix}`),
    fc.constantFrom(
      '::/0',
      '2000::/3',
      '::/16',
      '::ffff:0:0/96',
      '::ffff:0.0.0.0/97',
      '::ffff:10.0.0.0/104',
      'fd00::/8',
    ),
    fc.constantFrom('127.0.0.0/8', '10.0.0.0/8', '::1', '192.168.0.0/16', '2001:db8:1::/48'),
  ),
  { maxLength: 4 },
);
const domain = fc.oneof(
  fc.record({
    deliver: fc.constant('maildir:/nonexistent/{local}'),
    mailboxes: fc.constantFrom<'*' | string[]>('*', ['alice'], ['victim']),
    aliases: fc.constantFrom({}, { sales: ['alice'] }, { away: ['someone@elsewhere.example'] }),
  }),
  fc.constant({ relay: true }),
);
const configs = fc.record({
  hostname: fc.constant('mx.example.org'),
  dataDir: fc.constant('/nonexistent'),
  listeners: fc
    .subarray(['mx', 'lmtp'] as const, { minLength: 1 })
    .chain((roles) => fc.tuple(fc.constant(roles), networks))
    .map(([roles, proxyProtocol]) => roles.map((role) => ({ role, port: role === 'mx' ? 25 : 24, proxyProtocol }))),
  relayFrom: networks,
  users: networks.map((own) => ({
    alice: { password: `scrypt:16384:8:1:${'A'.repeat(22)}:${'A'.repeat(43)}`, networks: own },
  })),
  domains: fc.record({ 'example.org': domain, 'example.com': domain }),
  routes: fc.constantFrom([], [{ domain: '*', to: 'smtp://127.0.0.1:9' }]),
});

/** Addresses all over the Internet. */
const everywhere = Array.from({ length: 223 }, (_, index) => `${index + 1}.77.77.77`);

describe('a configuration that check calls good', () => {
  it('SEC-2505 CMD-RCPT-4 CMD-RCPT-3 sends nothing on for strangers, whatever their trick', async () => {
    let tried = 0;
    await fc.assert(
      fc.asyncProperty(configs, async (input) => {
        const checked = checkConfig(input);
        fc.pre('config' in checked);
        tried += 1;
        const trials = await tryAsStranger(checked.config);
        expect(trials.length).toBeGreaterThan(0);
        for (const { tricks } of trials) expect(tricks.filter(({ verdict }) => verdict === 'relays')).toEqual([]);
      }),
      { numRuns: 15, endOnFailure: true },
    );
    expect(tried).toBeGreaterThan(0);
  }, 120_000);

  it('SEC-2505 believes none but few of all addresses, in each of its lists', async () => {
    const { networkMatcher } = await import('@posthorn/smtp/address/network');
    fc.assert(
      fc.property(configs, (input) => {
        const checked = checkConfig(input);
        fc.pre('config' in checked);
        const { relayFrom, users, listeners } = checked.config;
        const lists = [relayFrom, ...Object.values(users).map((user) => user.networks)];
        for (const { proxyProtocol } of listeners) lists.push(proxyProtocol);
        for (const list of lists) {
          const isIn = networkMatcher(list);
          const mapped = everywhere.filter((address) => isIn(`::ffff:${address}`));
          expect(everywhere.filter(isIn).length).toBeLessThanOrEqual(4);
          expect(mapped.length).toBeLessThanOrEqual(4);
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['relayFrom', { relayFrom: ['::ffff:0:0/96'] }],
    ['relayFrom', { relayFrom: ['::/16'] }],
    ['relayFrom', { relayFrom: Array.from({ length: 256 }, (_, index) => `${index}.0.0.0/8`) }],
    ['proxyProtocol', { listeners: [{ role: 'mx', proxyProtocol: ['0.0.0.0/0'] }] }],
  ])('SEC-2505 CMD-RCPT-4 is none where %s stands for everyone', (field, change) => {
    const checked = checkConfig({
      hostname: 'mx.example.org',
      dataDir: '/nonexistent',
      listeners: [{ role: 'mx' }],
      domains: { 'example.org': { relay: true } },
      ...change,
    });
    expect('mistakes' in checked && checked.mistakes.map(({ path }) => path).join()).toContain(field);
  });
});
