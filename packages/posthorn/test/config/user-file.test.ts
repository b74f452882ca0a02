import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkConfig } from '../../src/config/check-config.ts';
import { hashForScram } from '../../src/config/hash-for-scram.ts';
import { readUsers } from '../../src/config/read-users.ts';
import { formatUserLine, parseUserFile, withUserLine } from '../../src/config/user-file.ts';

const keys = hashForScram('secret') ?? '';
const password = `scrypt:32768:8:1:${Buffer.alloc(16).toString('base64')}:${Buffer.alloc(32).toString('base64')}`;
const certificate = 'ab'.repeat(32);

describe('a file of users', () => {
  it('reads what it wrote, whatever the names and ways', () => {
    const name = fc.stringMatching(/^[^\s\0-\x1f\x7f#]{1,20}$/);
    fc.assert(
      fc.property(name, fc.boolean(), fc.boolean(), fc.boolean(), (login, hasPassword, hasKeys, hasCertificate) => {
        const line = {
          name: login,
          ...(hasPassword ? { password } : {}),
          scramKeys: hasKeys ? [keys] : [],
          certificates: hasCertificate ? [certificate] : [],
          addresses: ['ann@example.org'],
        };
        const { users, mistakes } = parseUserFile(`# remark\n${formatUserLine(line)}\n`);
        expect(mistakes).toEqual([]);
        expect(users).toMatchObject([
          { ...{ name: login, line: 2 }, user: { scramKeys: line.scramKeys, certificates: line.certificates } },
        ]);
      }),
    );
  });

  it('names its faulty lines, and shows nothing of them', () => {
    const text = `ann ${password}\nann ${keys}\nbob swordfish\ncarl nt:12\n#x y z\n\n dora certificate:xx\n`;
    const { users, mistakes } = parseUserFile(text);
    expect(users.map(({ name }) => name)).toEqual(['ann']);
    expect(mistakes.map(({ line }) => line)).toEqual([2, 3, 4, 7]);
    expect(JSON.stringify(mistakes)).not.toMatch(/swordfish|scrypt|12"/);
  });

  it('reads any text without an exception, and bounds what it says about it', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseUserFile(text)));
    expect(parseUserFile('a b\n'.repeat(5000)).mistakes).toHaveLength(100);
  });

  it('changes one line, and leaves the others', () => {
    const text = '# a\nann x\n\nbob y\n';
    expect(withUserLine(text, 'bob', 'bob z')).toBe('# a\nann x\n\nbob z\n');
    expect(withUserLine(text, 'carl', 'carl z')).toBe('# a\nann x\n\nbob y\ncarl z\n');
    expect(withUserLine(text, 'ann', undefined)).toBe('# a\n\nbob y\n');
    expect(withUserLine('', 'ann', 'ann x')).toBe('ann x\n');
    expect(withUserLine('ann x', 'bob', 'bob y')).toBe('ann x\nbob y\n');
  });

  it('adds its users to those of the configuration, the first place counting', () => {
    const folder = mkdtempSync(join(tmpdir(), 'users-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'users');
    writeFileSync(file, `ann ${keys}\nbob ${keys} bob@example.org\n`);
    const config = { users: {}, userFiles: [file, join(folder, 'none')] };
    const { users, mistakes } = readUsers(config);
    expect(Object.keys(users)).toEqual(['ann', 'bob']);
    expect(users.bob?.addresses).toEqual(['bob@example.org']);
    expect(mistakes).toMatchObject([
      { path: 'userFiles[1]', message: expect.stringContaining('there is no such file') },
    ]);
    const twice = readUsers({ users, userFiles: [file] });
    expect(twice.mistakes).toMatchObject([{ file, line: 1, message: 'names ann again' }, { line: 2 }]);
  });
});

describe('ways to log in of a configuration', () => {
  const base = {
    hostname: 'mx.example.org',
    dataDir: '/tmp/x',
    listeners: [{ role: 'mx' }],
    domains: { 'example.org': { relay: true } },
  };
  const mistakesOf = (more: object) => {
    const checked = checkConfig({ ...base, ...more });
    return 'mistakes' in checked ? checked.mistakes.map(({ path, message }) => `${path} ${message}`) : [];
  };

  it('are each enough, and one is needed', () => {
    for (const user of [
      { password },
      { scramKeys: [keys] },
      { certificates: [certificate.toUpperCase().replace(/(..)(?=.)/g, '$1:')] },
      { ntHash: 'a'.repeat(32) },
    ]) {
      expect(mistakesOf({ users: { ann: user } })).toEqual([]);
    }
    expect(mistakesOf({ users: { ann: {} } })).toEqual(['users.ann has no way to log in']);
    expect(mistakesOf({ users: { ann: {} }, logins: { dovecot: '/run/x' } })).toEqual([]);
  });

  it('show no secret that is faulty', () => {
    const users = { ann: { password: 'swordfish', scramKeys: ['swordfish'], ntHash: 'swordfish' } };
    const found = mistakesOf({ users });
    expect(found).toHaveLength(3);
    expect(found.join()).not.toContain('swordfish');
  });

  it('ask about tokens within TLS or on this host alone', () => {
    const oauth = (introspection: string, more = {}) => mistakesOf({ logins: { oauth: { introspection, ...more } } });
    expect(oauth('https://id.example.org/introspect')).toEqual([]);
    expect(oauth('http://127.0.0.1:8080/introspect')).toEqual([]);
    for (const url of [
      'http://id.example.org/',
      'http://127.0.0.1.example.org/',
      'ftp://127.0.0.1/',
      'https://a:b@x.test/',
      'x',
    ]) {
      expect(oauth(url), url).toHaveLength(1);
    }
    expect(oauth('https://x.test/', { clientId: 'a' })).toHaveLength(1);
    expect(oauth('https://x.test/', { clientId: 'a', clientSecret: 'b', clientSecretFile: 'c' })).toHaveLength(1);
    expect(mistakesOf({ listeners: [{ role: 'mx', mechanisms: ['OAUTHBEARER'] }] })).toHaveLength(1);
  });
});
