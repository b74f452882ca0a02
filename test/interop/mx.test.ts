import { describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../packages/posthorn/src/config/schema.ts';
import type { FixtureZone } from '../../packages/posthorn/src/dns/fixture-resolver.ts';
import { hasKnot, startKnot } from '../../packages/posthorn/test/dns/knot.ts';
import { mailIn, sendMail, startTestAgent, talk } from '../../packages/posthorn/test/mta/fixture.ts';
import { startNextHop } from '../../packages/posthorn/test/mta/next-hop.ts';
import { network } from './loopback.ts';

const isAble = hasKnot && process.getuid?.() === 0;

it.runIf(process.env.CI)(
  'a name server and the right to listen on port 25 are there where tests must not be left out',
  () => {
    expect(isAble).toBe(true);
  },
);

const hopAt = (host: string, options = {}) => startNextHop(options, { host, port: 25 });

/** An agent that finds its way by the zones of a name server of another make. */
async function startRouted(zone: FixtureZone, change: Partial<ConfigInput> = {}) {
  const knot = await startKnot(zone);
  const test = await startTestAgent(() => ({
    relayFrom: ['127.0.0.0/8'],
    dns: { servers: [knot.address] },
    queue: { retry: ['1s'] },
    ...change,
  }));
  const end = test[Symbol.asyncDispose];
  return Object.assign(test, {
    async [Symbol.asyncDispose]() {
      await end();
      await knot[Symbol.asyncDispose]();
    },
  });
}

async function answersToRcpt(port: number, paths: readonly string[]): Promise<string[]> {
  const replies = await talk(port, [
    { send: 'EHLO client.example\r\n', replies: 1 },
    { send: 'MAIL FROM:<ann@example.org>\r\n', replies: 1 },
    ...paths.map((path) => ({ send: `RCPT TO:${path}\r\n`, replies: 1 })),
  ]);
  return replies.slice(3).map((line) => line.split(' ').slice(0, 2).join(' '));
}

describe.skipIf(!isAble)('Posthorn and the name server of another make', () => {
  it('CLI-MX-1 CLI-MX-7 takes the exchangers by preference, behind a CNAME too, and the next when one is down', async () => {
    await using first = await hopAt(`${network}.22`);
    await using second = await hopAt(`${network}.23`);
    await using third = await hopAt(`${network}.24`);
    await using test = await startRouted({
      'far.example': {
        mx: [
          [30, 'third.far.example'],
          [10, 'first.far.example'],
          [20, 'second.far.example'],
        ],
      },
      'alias.example': { cname: 'far.example' },
      'half.example': {
        mx: [
          [5, 'down.far.example'],
          [10, 'second.far.example'],
        ],
      },
      'first.far.example': { a: [`${network}.22`] },
      'second.far.example': { a: [`${network}.23`] },
      'third.far.example': { a: [`${network}.24`] },
      'down.far.example': { a: [`${network}.29`] },
    });
    await sendMail(test.port, { to: ['<a@far.example>'] }, { to: ['<b@alias.example>'] }, { to: ['<c@half.example>'] });
    await expect.poll(() => test.agent.store.count(), { timeout: 10_000 }).toBe(0);
    expect(first.taken.map(({ rcpt }) => rcpt[0]).sort()).toEqual([
      'RCPT TO:<a@far.example>',
      'RCPT TO:<b@alias.example>',
    ]);
    expect(second.taken.map(({ rcpt }) => rcpt[0])).toEqual(['RCPT TO:<c@half.example>']);
    expect(third.sessions).toHaveLength(0);
  });

  it('CLI-MX-7 gives the next exchanger only the recipients that the first did not decide about', async () => {
    await using first = await hopAt(`${network}.32`, {
      reply: (verb: string, line: string) => {
        if (verb !== 'RCPT') return undefined;
        if (line.includes('later')) return '450 4.2.1 later';
        return line.includes('never') ? '550 5.1.1 never' : undefined;
      },
    });
    await using second = await hopAt(`${network}.33`);
    await using test = await startRouted({
      'far.example': {
        mx: [
          [1, 'first.far.example'],
          [2, 'second.far.example'],
        ],
      },
      'first.far.example': { a: [`${network}.32`] },
      'second.far.example': { a: [`${network}.33`] },
    });
    await sendMail(test.port, {
      from: '<ann@example.org>',
      to: ['<now@far.example>', '<later@far.example>', '<never@far.example>'],
    });
    await expect.poll(() => second.taken.map(({ rcpt }) => rcpt)).toEqual([['RCPT TO:<later@far.example>']]);
    expect(first.taken.map(({ rcpt }) => rcpt)).toEqual([['RCPT TO:<now@far.example>']]);
    const [report] = await mailIn(test, 'ann', 1);
    expect(report).toContain('\nFinal-Recipient: rfc822; never@far.example\n');
    expect(report).toContain('\nRemote-MTA: dns; first.far.example\n');
  });

  it('CLI-MX-3 takes the address of a domain without exchangers, but never beside them', async () => {
    await using own = await hopAt(`${network}.42`);
    await using test = await startRouted({
      'plain.example': { a: [`${network}.42`] },
      'both.example': { a: [`${network}.42`], mx: [[10, 'down.example']] },
      'down.example': { a: [`${network}.49`] },
    });
    await sendMail(test.port, { to: ['<b@both.example>'] }, { to: ['<a@plain.example>'] });
    await expect.poll(() => own.taken.map(({ rcpt }) => rcpt[0])).toEqual(['RCPT TO:<a@plain.example>']);
    const deferred = () => test.log.lines.filter(({ text }) => text === 'deferred').map(({ fields }) => fields);
    await expect
      .poll(() => deferred()[0])
      .toMatchObject({ to: 'b@both.example', status: '4.4.1', host: 'down.example' });
  });

  it('CLI-MX-4 CMD-RCPT-10 CLI-MX-5 REP-556 ENH-1/5.1.10 refuses recipients of a null MX with 556 and of no domain with 550 5.1.2', async () => {
    await using own = await hopAt(`${network}.52`);
    await using test = await startRouted({
      'null.example': { mx: [[0, '.']], a: [`${network}.52`] },
      'some.example': { a: [`${network}.52`] },
    });
    expect(await answersToRcpt(test.port, ['<a@null.example>', '<a@gone.example>', '<a@some.example>'])).toEqual([
      '556 5.1.10',
      '550 5.1.2',
      '250 2.1.5',
    ]);
    expect(own.sessions).toHaveLength(0);
  });

  it('CLI-MX-4 CLI-MX-5 fails queued mail for a null MX with 5.1.10 and for no domain with 5.1.2', async () => {
    await using own = await hopAt(`${network}.62`);
    await using test = await startRouted(
      { 'null.example': { mx: [[0, '.']], a: [`${network}.62`] } },
      {
        // Behind aliases nothing is looked up when the mail comes.
        domains: {
          'example.org': {
            mailboxes: '*',
            deliver: 'discard:',
            aliases: { all: ['a@null.example', 'b@gone.example'] },
          },
        },
      },
    );
    await sendMail(test.port, { from: '<ann@example.org>', to: ['<all@example.org>'] });
    const failed = () =>
      test.log.lines
        .filter(({ text }) => text === 'failed')
        .map(({ fields }) => fields as { to: string; status: string });
    await expect
      .poll(() =>
        failed()
          .map(({ to, status }) => `${to} ${status}`)
          .sort(),
      )
      .toEqual(['a@null.example 5.1.10', 'b@gone.example 5.1.2']);
    expect(own.sessions).toHaveLength(0);
  });

  it('CLI-LOOP-2 fails mail whose exchanger turns out to be this very host', async () => {
    await using test = await startRouted(
      { 'loop.example': { mx: [[10, 'gate.loop.example']] }, 'gate.loop.example': { a: [`${network}.72`] } },
      {
        listeners: [
          { role: 'mx', host: `${network}.72`, port: 25 },
          { role: 'mx', host: '127.0.0.1', port: 0 },
        ],
      },
    );
    const port = test.agent.listeners.map((each) => ('port' in each ? each.port : 0)).find((each) => each !== 25) ?? 0;
    await sendMail(port, { from: '<ann@example.org>', to: ['<a@loop.example>'] });
    const [report] = await mailIn(test, 'ann', 1);
    expect(report).toContain('\nStatus: 5.4.6\n');
    expect(report).toContain('\nFinal-Recipient: rfc822; a@loop.example\n');
  });
});
