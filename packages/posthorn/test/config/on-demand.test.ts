import { describe, expect, it } from 'vitest';
import { anchorPaths } from '../../src/config/anchor-paths.ts';
import { checkConfig } from '../../src/config/check-config.ts';
import type { ConfigInput } from '../../src/config/schema.ts';

const password = `scrypt:16:1:1:${'A'.repeat(22)}==:${'A'.repeat(43)}=`;
const secret = 'thirteen grey herons';

const full: ConfigInput = {
  hostname: 'odmr.example.net',
  dataDir: 'data',
  listeners: [{ role: 'mx' }, { role: 'odmr', mechanisms: ['CRAM-MD5', 'EXTERNAL'] }],
  tls: { cert: 'cert.pem', key: 'key.pem' },
  users: { branch: { password, cramSecret: secret, networks: ['192.0.2.0/24'], atrnDomains: ['Branch.Example.org'] } },
  domains: { 'branch.example.org': { relay: true } },
  routes: [{ domain: 'branch.example.org', to: 'odmr:' }],
  odmr: { domainsFile: 'rights' },
  etrn: { networks: ['127.0.0.1'], logins: ['branch'], domains: ['*.example.org'], queues: { night: ['a.test'] } },
  turn: true,
  fetch: [
    { name: 'up', host: 'odmr.example.com', user: 'us', passwordFile: 'secret', domains: ['a.test'], every: '1h' },
    { name: 'old', by: 'etrn', host: '192.0.2.9', domains: ['@a.test', '#uucp'] },
  ],
};

function mistakesWith(change: Record<string, unknown>): readonly string[] {
  const checked = checkConfig({ ...full, ...change });
  return 'mistakes' in checked ? checked.mistakes.map(({ path, message }) => `${path} ${message}`) : [];
}

const source = { name: 'x', host: 'x.test', user: 'u', password: 'p' };

describe('a configuration of mail that is fetched', () => {
  it('CMD-ATRN-1 CMD-ETRN-7 gets its defaults, and its paths from its folder', () => {
    const checked = checkConfig(full);
    if (!('config' in checked)) throw new Error(JSON.stringify(checked.mistakes));
    const config = anchorPaths(checked.config, '/etc/posthorn');
    expect(config.listeners[1]).toMatchObject({ role: 'odmr', port: 366 });
    expect(config.users.branch?.atrnDomains).toEqual(['branch.example.org']);
    expect(config.odmr).toEqual({ domainsFile: '/etc/posthorn/rights', requestsPerMinute: 20 });
    expect(config.etrn).toMatchObject({ requestsPerMinute: 20 });
    expect(config.fetch).toMatchObject([
      { by: 'atrn', passwordFile: '/etc/posthorn/secret', every: 3_600_000 },
      { by: 'etrn', every: 900_000 },
    ]);
    const { odmr: _, etrn: __, turn: ___, fetch: ____, ...plain } = full;
    const bare = checkConfig(plain);
    expect(bare).toMatchObject({ config: { odmr: { requestsPerMinute: 20 }, turn: false, fetch: [] } });
    expect('config' in bare && bare.config.etrn).toBeUndefined();
  });

  it.each([
    ['routes', [], /^users\.branch\.atrnDomains\[0\] .*no route leads it to "odmr:"/],
    ['users', { branch: { password, cramSecret: 'a\nb' } }, /^users\.branch\.cramSecret must be a secret/],
    [
      'listeners',
      [{ role: 'odmr', mechanisms: ['DIGEST-MD5'] }],
      /^listeners\[0\]\.mechanisms\[0\] must be a way to log in/,
    ],
    ['etrn', {}, /^etrn lets nobody use it/],
    ['etrn', { logins: ['nobody'] }, /^etrn\.logins\[0\] is nobody, which is no user/],
    ['etrn', { networks: ['::1'], queues: { '#x': ['a.test'] } }, /^etrn\.queues\["#x"\] must be the name of a queue/],
    ['tls', undefined, /^turn has no effect without TLS/],
    ['fetch', [source, source], /^fetch\[1\]\.name is the name of another one/],
    ['fetch', [{ name: 'x', host: 'x.test' }], /^fetch\[0\] needs a user/],
    ['fetch', [{ ...source, password: undefined }], /^fetch\[0\] has a user without a password/],
    ['fetch', [{ ...source, passwordFile: 'f' }], /^fetch\[0\] has two passwords/],
    ['fetch', [{ ...source, by: 'etrn' }], /^fetch\[0\] says not for whom to ask/],
    ['fetch', [{ ...source, by: 'turn', domains: ['a.test'] }], /^fetch\[0\]\.domains has no place in TURN/],
    ['fetch', [{ ...source, domains: ['@a.test'] }], /^fetch\[0\]\.domains\[0\] must be a domain, for ATRN/],
    ['fetch', [{ ...source, domains: ['localname'] }], /^fetch\[0\]\.domains\[0\] must be a domain, @domain or #queue/],
  ])('CMD-ATRN-2 CMD-ETRN-7 says what is wrong with %s %#', (name, value, pattern) => {
    expect(mistakesWith({ [name]: value })).toContainEqual(expect.stringMatching(pattern));
  });

  it('says that nobody may fetch anything', () => {
    const change = { users: { branch: { password } }, odmr: {}, turn: false, etrn: undefined };
    expect(mistakesWith(change)).toEqual([
      expect.stringMatching(/^listeners\[1\] is for logins that fetch mail, and none may/),
    ]);
  });

  it('never shows a secret', () => {
    const text = JSON.stringify(checkConfig({ ...full, users: { branch: { password, cramSecret: [secret] } } }));
    expect(text).toContain('must be a secret');
    expect(text).not.toContain(secret);
  });
});
