import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/config/check-config.ts';
import { defineConfig } from '../../src/config/define-config.ts';
import { formatMistake, type Mistake } from '../../src/config/mistake.ts';
import type { ConfigInput } from '../../src/config/schema.ts';

const hash = `scrypt:16:1:1:${'A'.repeat(22)}==:${'A'.repeat(43)}=`;

/** A configuration that uses everything. */
const full: ConfigInput = defineConfig({
  hostname: 'mx.example.org',
  dataDir: '/var/lib/posthorn',
  listeners: [
    { role: 'mx', host: '0.0.0.0', port: 25, proxyProtocol: ['10.0.0.0/8'] },
    { role: 'submission', requireTls: true },
    { role: 'submissions' },
    { role: 'lmtp', path: '/run/posthorn/lmtp.sock' },
  ],
  tls: { cert: 'cert.pem', key: 'key.pem' },
  relayFrom: ['127.0.0.0/8', '::1'],
  limits: { connections: 500, messageSize: '25MB', idleTime: '10m' },
  users: { alice: { password: hash, addresses: ['alice@example.org'] } },
  domains: {
    'Example.ORG': {
      deliver: 'maildir:/var/mail/{domain}/{local}',
      mailboxes: ['alice', 'bob'],
      aliases: { team: ['alice', 'bob', 'carol@elsewhere.example'], alice: ['alice', 'bob+copies'] },
    },
    'bücher.example': { deliver: 'lmtp:/run/dovecot/lmtp', mailboxes: '*' },
    'example.net': { relay: true },
  },
  routes: [
    { domain: '*.intern.example', to: 'smtp://127.0.0.5:2599' },
    { domain: '*', to: 'mx' },
  ],
  queue: { retry: ['1m', '1h'], lifetime: '3d' },
  dns: { servers: ['127.0.0.1:5353'] },
  postmaster: 'alice@example.org',
});

function mistakesOf(value: unknown): readonly Mistake[] {
  const checked = checkConfig(value);
  return 'mistakes' in checked ? checked.mistakes : [];
}

/** The mistakes of the full configuration with some members replaced. */
function mistakesWith(members: Record<string, unknown>): readonly Mistake[] {
  return mistakesOf({ ...full, ...members });
}

const pathsOf = (mistakes: readonly Mistake[]) => mistakes.map(({ path }) => path);

describe('a good configuration', () => {
  it('gets its defaults, its sizes in octets, its durations in milliseconds, its domains in the form they are compared in', () => {
    const checked = checkConfig(full);
    expect(checked).toMatchObject({
      config: {
        listeners: [
          { role: 'mx', port: 25, proxyProtocol: [{ family: 4, address: '10.0.0.0', prefix: 8 }] },
          { role: 'submission', port: 587, requireTls: true },
          { role: 'submissions', port: 465, requireTls: false },
          { role: 'lmtp', path: '/run/posthorn/lmtp.sock' },
        ],
        limits: { connections: 500, connectionsPerAddress: 100, messageSize: 26_214_400, idleTime: 600_000 },
        queue: { retry: [60_000, 3_600_000], lifetime: 259_200_000, delayWarningAfter: 14_400_000 },
        domains: {
          'example.org': { relay: false, separator: '+' },
          'xn--bcher-kva.example': { mailboxes: '*' },
          'example.net': { relay: true },
        },
      },
    });
  });

  it('lets nobody relay unless it says who may', () => {
    const checked = checkConfig({ hostname: 'mx.example.org', dataDir: '/x', listeners: [{ role: 'mx' }] });
    expect(checked).toMatchObject({ config: { relayFrom: [], iKnowThisIsAnOpenRelay: false, users: {}, domains: {} } });
  });

  it('may hold members that are undefined', () => {
    expect(mistakesWith({ tls: full.tls, postmaster: undefined, dns: { servers: undefined } })).toEqual([]);
  });
});

describe('mistakes', () => {
  it('all come at once, each with its path, what is wrong and what to do', () => {
    const mistakes = mistakesOf({
      hostname: 'localhost',
      listners: [],
      listeners: [{ role: 'mx', prot: 25 }, { role: 'submision' }, 5],
      users: { 'al ice': { password: 'geheim', addresses: ['x'] } },
      limits: { messageSize: '5 cats', recipients: 99 },
      domains: { '-bad': { deliver: 'maildir:/x/{lokal}', mailboxes: ['a b'] } },
      queue: { retry: [] },
    });
    expect(new Set(pathsOf(mistakes))).toEqual(
      new Set([
        'hostname',
        'dataDir',
        'listners',
        'listeners[0].prot',
        'listeners[1].role',
        'listeners[2]',
        'users["al ice"]',
        'users["al ice"].password',
        'users["al ice"].addresses[0]',
        'limits.messageSize',
        'limits.recipients',
        'domains["-bad"]',
        'domains["-bad"].deliver',
        'domains["-bad"].mailboxes[0]',
        'queue.retry',
      ]),
    );
    expect(mistakes.every(({ message, remedy }) => message !== '' && remedy !== '')).toBe(true);
  });

  it('are written as one line that says where, what and what to do', () => {
    const [mistake] = mistakesWith({ hostname: 'localhost' });
    expect(formatMistake({ ...(mistake as Mistake), file: 'posthorn.json', line: 3 })).toBe(
      'posthorn.json:3: hostname must be a full host name or an address literal; it is "localhost". ' +
        'Write the name that DNS has for this host, such as "mx.example.org", or an address as "[192.0.2.1]".',
    );
  });

  it('in a name of a member suggest the one that was meant', () => {
    const remedies = mistakesWith({
      relayForm: [],
      limits: { conections: 1 },
      routes: [{ domain: '*', too: 'mx', to: 'mx' }],
      listeners: [{ role: 'mx', colour: 'red' }],
    }).map(({ path, remedy }) => [path, remedy]);
    expect(Object.fromEntries(remedies)).toMatchObject({
      relayForm: 'Did you mean relayFrom?',
      'limits.conections': 'Did you mean connections?',
      'routes[0].too': 'Did you mean to?',
      'listeners[0].colour': expect.stringContaining('known here are role, host, port'),
    });
  });

  it('never show a password, neither of a user nor in a target', () => {
    const mistakes = mistakesWith({
      users: { alice: { password: 'geheim1' }, bob: { password: { text: 'geheim2' } }, carol: 'geheim3' },
      routes: [{ domain: '*', to: 'smtp://me:geheim4@relay.example?tls=none' }],
    });
    expect(pathsOf(mistakes)).toEqual(['users.alice.password', 'users.bob.password', 'users.carol', 'routes[0].to']);
    expect(JSON.stringify(mistakes)).not.toMatch(/geheim[124]/);
  });

  it('LMTP-2 include LMTP on TCP port 25, whatever the address', () => {
    for (const host of ['127.0.0.1', '::1', '0.0.0.0']) {
      const mistakes = mistakesWith({ listeners: [{ role: 'lmtp', host, port: 25 }] });
      expect(pathsOf(mistakes)).toEqual(['listeners[0].port']);
    }
    expect(mistakesWith({ listeners: [{ role: 'lmtp', port: 24 }] })).toEqual([]);
  });

  it('include LMTP that listens nowhere or in two places', () => {
    expect(pathsOf(mistakesWith({ listeners: [{ role: 'lmtp' }] }))).toEqual(['listeners[0]']);
    expect(pathsOf(mistakesWith({ listeners: [{ role: 'lmtp', path: '/s', port: 24 }] }))).toEqual(['listeners[0]']);
  });

  it('include submission and required TLS without a certificate', () => {
    const listeners = [
      { role: 'submission' },
      { role: 'submissions' },
      { role: 'mx', requireTls: true },
      { role: 'lmtp', path: '/s' },
    ];
    const mistakes = mistakesWith({ listeners, tls: undefined });
    expect(pathsOf(mistakes)).toEqual(['listeners[0]', 'listeners[1]', 'listeners[2].requireTls']);
  });

  it.each([
    ['the same address and port', { role: 'mx', host: '127.0.0.1', port: 25 }, { role: 'mx', host: '127.0.0.1' }],
    ['all addresses and one of them', { role: 'mx' }, { role: 'mx', host: '127.0.0.1' }],
    ['mail and the refusal of mail on one port', { role: 'mx' }, { role: 'none' }],
    ['two roles on one port', { role: 'mx', port: 587 }, { role: 'submission' }],
    ['one socket', { role: 'lmtp', path: '/s' }, { role: 'lmtp', path: '/s' }],
  ])('include listeners in one place: %s', (_, one, other) => {
    expect(pathsOf(mistakesWith({ listeners: [one, other] }))).toEqual(['listeners[1]']);
  });

  it('do not include listeners on different addresses, or on ports that the system chooses', () => {
    const apart = [
      { role: 'mx', host: '127.0.0.1' },
      { role: 'mx', host: '127.0.0.2' },
    ];
    const chosen = [
      { role: 'mx', port: 0 },
      { role: 'mx', port: 0 },
    ];
    expect(mistakesWith({ listeners: apart })).toEqual([]);
    expect(mistakesWith({ listeners: chosen })).toEqual([]);
  });

  it('include networks that make an open relay, unless it is said in so many words', () => {
    const relayFrom = ['10.0.0.0/8', '0.0.0.0/0', '128.0.0.0/1', '::/0', '2000::/3', 'fd00::/16'];
    const mistakes = mistakesWith({ relayFrom });
    expect(pathsOf(mistakes)).toEqual(['relayFrom[1]', 'relayFrom[2]', 'relayFrom[3]', 'relayFrom[4]']);
    expect(mistakesWith({ relayFrom, iKnowThisIsAnOpenRelay: true })).toEqual([]);
  });

  it('include domains that stand there twice, whatever their case or form', () => {
    const mistakes = mistakesWith({
      domains: {
        'example.org': { relay: true },
        'EXAMPLE.org': { relay: true },
        'bücher.example': { relay: true },
        'xn--bcher-kva.example': { relay: true },
      },
      postmaster: undefined,
    });
    expect(pathsOf(mistakes)).toEqual(['domains["EXAMPLE.org"]', 'domains["xn--bcher-kva.example"]']);
  });

  it('include domains of which nobody knows where their mail is to go', () => {
    const mistakes = mistakesWith({
      domains: {
        'a.example': {},
        'b.example': { mailboxes: ['x'] },
        'c.example': { relay: true, deliver: 'discard:' },
        'd.example': { relay: true, mailboxes: ['x'] },
        'e.example': { deliver: 'discard:' },
        'f.example': { relay: true, mailboxes: ['x'], deliver: 'discard:' },
      },
      postmaster: undefined,
    });
    const expected = ['["a.example"]', '["b.example"]', '["c.example"].deliver', '["d.example"]', '["e.example"]'];
    expect(pathsOf(mistakes)).toEqual(expected.map((path) => `domains${path}`));
  });

  it('include aliases that lead to nobody, round in a circle, or stand there twice', () => {
    const deliver = 'discard:';
    const mistakes = mistakesWith({
      domains: {
        'a.example': {
          deliver,
          mailboxes: ['alice'],
          aliases: {
            keep: ['alice', 'alice+detail', 'POSTMASTER', 'who@b.example', 'x@elsewhere.example'],
            dead: ['alice', 'nobody', 'who@A.example'],
            round: ['about@b.example'],
            alice: ['alice'],
          },
          forwards: {
            circling: { to: 'circling@a.example' },
            asked: { to: 'asked@a.example', mode: 'refuse' },
            gone: { to: 'gone@elsewhere.example' },
          },
        },
        'b.example': { deliver, mailboxes: '*', aliases: { about: ['round@a.example'] } },
        'c.example': { deliver, mailboxes: ['Bob', 'bob'] },
      },
      postmaster: 'nobody@a.example',
    });
    expect(new Set(pathsOf(mistakes))).toEqual(
      new Set([
        'domains["a.example"].aliases.dead[1]',
        'domains["a.example"].aliases.dead[2]',
        'domains["a.example"].aliases.round',
        'domains["a.example"].forwards.asked.to',
        'domains["a.example"].forwards.circling.to',
        'domains["b.example"].aliases.about',
        'domains["c.example"]',
        'postmaster',
      ]),
    );
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'x'],
    ['a list', []],
    ['a function', () => full],
    ['a date', new Date(0)],
    ['a map', new Map()],
  ])('include a configuration that is %s', (_, value) => {
    expect(mistakesOf(value)).toMatchObject([{ path: '' }]);
  });

  it('include values that are no data: functions, cycles, what throws when it is read, lists without end', () => {
    const cycle: Record<string, unknown> = { ...full };
    cycle.limits = { messageSize: cycle };
    const throwing = Object.defineProperty({ ...full }, 'hostname', {
      enumerable: true,
      get: () => {
        throw new Error('not today');
      },
    });
    expect(mistakesWith({ hostname: () => 'mx.example.org' })).toMatchObject([{ path: 'hostname' }]);
    expect(mistakesOf(cycle).length).toBeGreaterThan(0);
    expect(mistakesOf(throwing)).toMatchObject([{ path: '', message: 'cannot be read: not today' }]);
    expect(mistakesWith({ relayFrom: new Array(2 ** 31) })).toMatchObject([{ path: 'relayFrom' }]);
  });
});

describe('whatever the configuration is', () => {
  const isWellFormed = (mistake: Mistake) =>
    typeof mistake.path === 'string' &&
    mistake.message !== '' &&
    /\w/.test(mistake.remedy) &&
    !/\n/.test(formatMistake(mistake));

  it('it is accepted, or has mistakes with a remedy; it never crashes', () => {
    fc.assert(fc.property(fc.anything({ withNullPrototype: true }), (value) => mistakesOf(value).every(isWellFormed)));
  });

  it('so it is when members of a good one are replaced by garbage', () => {
    const garbage = fc.oneof(
      fc.anything(),
      fc.constantFrom('', '*', '0', '\0', 'x'.repeat(10_000), -1, Number.NaN, '[::1]', '__proto__', 'a@b@c', '\\'),
    );
    const ways = [
      ...Object.keys(full).map((key) => [key]),
      ['listeners', 0],
      ['listeners', 0, 'role'],
      ['listeners', 3, 'port'],
      ['users', '__proto__'],
      ['users', 'alice', 'password'],
      ['domains', 'Example.ORG', 'aliases', 'team', 0],
      ['domains', 'Example.ORG', 'aliases', '__proto__'],
      ['domains', 'Example.ORG', 'mailboxes', 1],
      ['domains', 'constructor'],
      ['routes', 0, 'to'],
    ];
    fc.assert(
      fc.property(fc.constantFrom(...ways), garbage, (way, value) => {
        const config = structuredClone(full) as Record<PropertyKey, unknown>;
        const holder = way.slice(0, -1).reduce((at, step) => at[step] as Record<PropertyKey, unknown>, config);
        Object.defineProperty(holder, way.at(-1) ?? '', {
          value,
          enumerable: true,
          configurable: true,
          writable: true,
        });
        return mistakesOf(config).every(isWellFormed);
      }),
      { numRuns: 500 },
    );
    expect(Object.prototype).not.toHaveProperty('password');
  });
});
