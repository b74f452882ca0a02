import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerOptions } from '@posthorn/smtp/server';
import { describe, expect, it } from 'vitest';
import { testCertificate } from '../../../smtp/test/laws/test-certificate.ts';
import { startNextHop } from '../mta/next-hop.ts';
import { pair, sending, startHost } from './sending.ts';

const { folder, send } = sending();

/** A host that offers all that can be asked for. */
function startGenerousHost(options: Partial<ServerOptions> = {}, role: 'mx' | 'submission' = 'mx') {
  const extensions = {
    deliverBy: {},
    futureRelease: { longest: 100_000 },
    priority: {},
    noSoliciting: { refused: [] },
    rrvs: true,
  };
  return startHost({}, { extensions, ...options }, role);
}

const words = [...pair, '--text', 'x'];

describe('send, asked for more', () => {
  it.each([
    ['--notify success,delay', {}, { notify: ['SUCCESS', 'DELAY'] }],
    ['--notify never', {}, { notify: [] }],
    ['--ret HDRS', { ret: 'HDRS' }, {}],
    ['--envid an+id=1', { envelopeId: 'an+id=1' }, {}],
    ['--orcpt c+d@z.test', {}, { originalRecipient: 'rfc822;c+d@z.test' }],
    ['--orcpt x400;/c=us/', {}, { originalRecipient: 'x400;/c=us/' }],
    ['--deliver-by 3600R', { deliverBy: { seconds: 3600, mode: 'R' } }, {}],
    ['--deliver-by 2hNT', { deliverBy: { seconds: 7200, mode: 'N', trace: true } }, {}],
    ['--deliver-by -5n', { deliverBy: { seconds: -5, mode: 'N' } }, {}],
    ['--priority -3', { priority: -3 }, {}],
    ['--solicit org.example:ADV,org.example:X', { solicit: ['org.example:ADV', 'org.example:X'] }, {}],
    ['--rrvs 2026-01-31T00:00:00Z', {}, { rrvs: { since: Date.UTC(2026, 0, 31), fallback: 'R' } }],
    ['--rrvs 2026-01-31T00:00:00Z;C', {}, { rrvs: { since: Date.UTC(2026, 0, 31), fallback: 'C' } }],
  ])('tells the host of %s', async (option, mail, recipient) => {
    const { got, address } = await startGenerousHost();
    const result = await send(['--server', address, ...words, ...option.split(' ')]);
    expect(result).toEqual({ code: 0, output: 'accepted b@y.test: 250 2.0.0 Ok\n', said: '' });
    expect(got[0]?.mail).toMatchObject(mail);
    expect(got[0]?.wishes).toEqual([recipient]);
  });

  it.each([
    ['3600', { for: 3600 }],
    ['2h', { for: 7200 }],
  ])('has a message held for %s', async (time, hold) => {
    const { got, login, address } = await startWithLogin();
    expect(await send([...login, '--server', address, '--hold-for', time], secret)).toMatchObject({ code: 0 });
    expect(got[0]?.mail.hold).toEqual(hold);
  });

  it('has a message held until a time, whatever zone it is told in', async () => {
    const { got, login, address } = await startWithLogin();
    const until = Math.ceil(Date.now() / 1000) * 1000 + 60_000;
    const local = new Date(until + 3_600_000).toISOString().replace('.000Z', '+01:00');
    expect(await send([...login, '--server', address, '--hold-until', local], secret)).toMatchObject({ code: 0 });
    expect(got[0]?.mail.hold).toEqual({ until });
  });

  const secret = { env: { SECRET: 'geheim' } };

  /** Messages are held for logins alone. */
  async function startWithLogin() {
    writeFileSync(join(folder(), 'ca.pem'), testCertificate.cert);
    const host = await startHost(
      { authenticate: async (_, { user }) => ({ login: user }) },
      { tls: testCertificate, extensions: { futureRelease: { longest: 100_000 } } },
      'submission',
    );
    const login = [...words, '--tls', 'starttls', '--ca', 'ca.pem', '--user', 'me', '--password-env', 'SECRET'];
    return { ...host, login };
  }

  it('asks for TLS on the whole way, and goes to nobody who proves nothing', async () => {
    writeFileSync(join(folder(), 'ca.pem'), testCertificate.cert);
    const { got, address } = await startGenerousHost({ tls: testCertificate, extensions: { requireTls: true } });
    const secretly = ['--server', address, ...words, '--require-tls'];
    expect(await send([...secretly, '--ca', 'ca.pem'])).toMatchObject({ code: 0, said: '' });
    expect(got[0]?.mail.requireTls).toBe(true);
    expect((await send(secretly)).code).not.toBe(0);
    const { code, output } = await send([...secretly, '--tls', 'none']);
    expect({ code, output }).toEqual({
      code: 1,
      output: 'refused b@y.test: The message needs TLS with a verified host\n',
    });
    expect(got).toHaveLength(1);
  });

  it('says plainly of what a host was not told, as it lacks the extension', async () => {
    await using host = await startNextHop();
    const many = ['--notify', 'success', '--ret', 'full', '--priority', '4', '--deliver-by', '60N'];
    const where = ['--server', `127.0.0.1:${host.port}`, ...words];
    expect(await send([...where, ...many])).toEqual({
      code: 0,
      output: 'accepted b@y.test: 250 2.0.0 taken\n',
      said: [
        'The host does not offer DSN, so it was not told of --notify and --ret.\n',
        'The host does not offer DELIVERBY, so it was not told of --deliver-by.\n',
        'The host does not offer MT-PRIORITY, so it was not told of --priority.\n',
      ].join(''),
    });
    const { output } = await send([...where, ...many, '--json']);
    expect(JSON.parse(output)).toMatchObject({
      offered: expect.arrayContaining(['PIPELINING', 'SIZE']),
      leftOut: expect.arrayContaining([{ option: '--ret', extension: 'DSN' }]),
    });
    expect(host.taken.map(({ mail }) => mail)).toEqual(Array(2).fill(expect.not.stringMatching(/RET|PRIORITY|BY/)));
  });

  it.each([
    ['--deliver-by 60R', 'The host does not offer DELIVERBY, which the message needs'],
    ['--hold-for 1h', 'The host does not offer FUTURERELEASE, which the message needs'],
    ['--rrvs 2026-01-31T00:00:00Z', 'The host does not offer RRVS, which the recipient needs'],
  ])('sends nothing that would break its promise: %s', async (option, reason) => {
    await using host = await startNextHop();
    const result = await send(['--server', `127.0.0.1:${host.port}`, ...words, ...option.split(' ')]);
    expect(result).toEqual({ code: 1, output: `refused b@y.test: ${reason}\n`, said: '' });
    expect(host.taken).toEqual([]);
  });

  it.each([
    ['--notify sometimes', 'Write "success,failure,delay"'],
    ['--notify never,delay', 'Write "success,failure,delay"'],
    ['--ret half', 'Write "full" or "hdrs".'],
    ['--envid näme', 'up to 100 characters'],
    [`--envid ${'x'.repeat(101)}`, 'up to 100 characters'],
    ['--orcpt rfc822;', 'Write an address'],
    ['--deliver-by 3600', 'Write seconds or a duration, and R or N'],
    ['--deliver-by -5R', 'Write seconds or a duration, and R or N'],
    ['--hold-for soon', 'Write seconds such as "3600"'],
    ['--hold-until tomorrow', 'Write a time such as'],
    ['--hold-for 1h --hold-until 2030-01-01T00:00:00Z', 'cannot be used with'],
    ['--envid x --track', 'cannot be used with'],
    ['--priority 10', 'from -9 to 9'],
    ['--solicit org.example:ADV,', 'Write classes'],
    ['--rrvs yesterday', 'Write a time'],
    ['--orcpt c@z.test --to d@y.test', 'Send to the others apart'],
  ])('ends with 2 before anything is sent for %s', async (option, advice) => {
    const { got, address } = await startGenerousHost();
    const { code, said } = await send(['--server', address, ...words, ...option.split(' ')]);
    expect({ code, said }).toEqual({ code: 2, said: expect.stringContaining(advice) });
    expect(got).toEqual([]);
  });

  it('tells in its help what each of them takes', async () => {
    const { code, output } = await send(['--help']);
    expect(code).toBe(0);
    const all = [
      'notify',
      'ret',
      'envid',
      'orcpt',
      'deliver-by',
      'hold-for',
      'hold-until',
      'priority',
      'solicit',
      'rrvs',
    ];
    for (const name of [...all, 'require-tls', 'track']) expect(output).toMatch(new RegExp(`\\n  --${name}\\b.* \\w`));
  });
});
