import { describeStatus, statuses } from '@posthorn/smtp/reply/registry';
import type { Status } from '@posthorn/smtp/reply/reply';
import { describe, expect, it } from 'vitest';
import { mailIn, sendMail, startTestAgent } from './fixture.ts';
import { startNextHop } from './next-hop.ts';

/** `<5.1.1@far.example>`, `<4.2.2@far.example>`, …: who the next hop refuses with that status, and so on. */
const addressOf = (status: string) => `${status}@far.example`;
const keys = [...statuses.keys()];
const codeOf: Readonly<Record<string, number>> = { '2': 250, '4': 450, '5': 550 };

/** An agent that sends all to a host which answers each RCPT with the status that is in the address. */
async function startPair() {
  const hop = await startNextHop({
    reply(verb, line) {
      const status = verb === 'RCPT' ? /<([245])(\.\d+\.\d+)@/.exec(line) : null;
      return status === null ? undefined : `${codeOf[status[1] as string]} ${status[1]}${status[2]} As you say`;
    },
  });
  const test = await startTestAgent((folder) => ({
    domains: { 'example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['ann'] } },
    relayFrom: ['127.0.0.0/8'],
    routes: [
      { domain: 'other.example', to: 'error:5.1.0 Not an address that mail can go to' },
      { domain: '*', to: hop.to },
    ],
  }));
  return {
    test,
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
      await hop[Symbol.asyncDispose]();
    },
  };
}

/** By recipient: Action and Status of the report. */
function readGroups(report: string): Map<string, string> {
  const found = report.matchAll(
    /^Final-Recipient: rfc822; (.*)\n(?:(?!\n).*\n)*?Action: (.*)\n(?:.+\n)*?Status: (.*)\n/gm,
  );
  return new Map([...found].map(([, address, action, status]) => [address as string, `${action} ${status}`]));
}

describe('statuses of the next hop', () => {
  it('ENH-0 ENH-1/5.1.0 ENH-4/5.4.0 ENH-5/5.5.3 ENH-5/5.5.5 ENH-7/5.7.11 ENH-7/5.7.14 reach the sender as they are, all that are registered', async () => {
    await using pair = await startPair();
    const list = keys.map((key) => `5.${key}` as Status);
    await sendMail(pair.test.port, { from: '<ann@example.org>', to: list.map((status) => `<${addressOf(status)}>`) });
    const [report = ''] = await mailIn(pair.test, 'ann', 1);
    const groups = readGroups(report);
    for (const status of list) {
      expect(groups.get(addressOf(status)), status).toBe(`failed ${status}`);
      expect(report.replace(/\n +/g, ' ')).toContain(`550 ${status} As you say`);
      expect(describeStatus(status)).not.toMatch(/^unknown/);
    }
    expect(groups.size).toBe(list.length);
  });

  it('ENH-4/4.4.0 ENH-X are kept with the recipients that wait for a temporary one', async () => {
    await using pair = await startPair();
    const list = keys.map((key) => `4.${key}`);
    await sendMail(pair.test.port, { from: '<ann@example.org>', to: list.map((status) => `<${addressOf(status)}>`) });
    const deferred = () =>
      pair.test.log.lines
        .filter(({ text }) => text === 'deferred')
        .map(({ fields }) => fields as Record<string, string>);
    await expect.poll(() => deferred().length).toBe(list.length);
    expect(
      deferred()
        .map(({ to, status }) => `${to} ${status}`)
        .sort(),
    ).toEqual(list.map((status) => `${addressOf(status)} ${status}`).sort());
  });
});

it('ENH-1/5.1.0 a route may say of addresses that there is something else wrong with them', async () => {
  await using pair = await startPair();
  await sendMail(pair.test.port, { from: '<ann@example.org>', to: ['<x@other.example>'] });
  const [report = ''] = await mailIn(pair.test, 'ann', 1);
  expect(readGroups(report).get('x@other.example')).toBe('failed 5.1.0');
});
