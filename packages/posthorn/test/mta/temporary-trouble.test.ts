import { mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startDnsServer } from '../dns/dns-server.ts';
import { startTestAgent, talk } from './fixture.ts';

const codesOf = async (port: number, ...lines: string[]) => {
  const groups = ['EHLO client.example', ...lines].map((line) => ({ send: `${line}\r\n`, replies: 1 }));
  return (await talk(port, groups)).slice(2).map((line) => line.slice(0, 3));
};

describe('trouble of what the agent asks', () => {
  it('SEC-2505-2 never refuses for good while no name server answers, and keeps what it took', async () => {
    await using dns = await startDnsServer({ trouble: (_query, answer) => [{ ...answer, flags: 2 }] });
    await using test = await startTestAgent(() => ({
      dns: { servers: [dns.address] },
      relayFrom: ['127.0.0.1'],
      submission: { completeDomain: 'example.org' },
    }));
    const rcpts = ['a@elsewhere.example', 'a@sub.elsewhere.example', 'a@example.org', 'postmaster'];
    const replies = await codesOf(
      test.port,
      'MAIL FROM:<ann@nowhere.example>',
      ...rcpts.map((to) => `RCPT TO:<${to}>`),
      'DATA',
      'Subject: x\r\n\r\nHello\r\n.',
      'QUIT',
    );
    expect(replies).toEqual(['250', '250', '250', '250', '250', '354', '250', '221']);
    const outcomes = () => test.log.lines.filter(({ text }) => text === 'deferred' || text === 'failed');
    await expect.poll(() => outcomes().length).toBeGreaterThanOrEqual(2);
    expect(outcomes().map(({ text, fields }) => [text, (fields as { status: string }).status])).toEqual([
      ['deferred', '4.4.3'],
      ['deferred', '4.4.3'],
    ]);
  });

  it.each(['score', 'refuse'] as const)(
    'SEC-2505-2 never refuses a stranger for good while no name server answers, even where filters %s',
    async (strictness) => {
      await using dns = await startDnsServer({ trouble: (_query, answer) => [{ ...answer, flags: 2 }] });
      await using test = await startTestAgent(() => ({
        dns: { servers: [dns.address] },
        listeners: [{ role: 'mx', host: '127.0.0.1', port: 0, proxyProtocol: ['127.0.0.1'] }],
        filters: {
          reverseDns: strictness,
          helo: strictness,
          senderDomain: strictness,
          dnsbl: [
            { list: 'bl.example', refuse: true },
            { list: 'dom.example', of: 'sender', refuse: true },
          ],
          score: { defer: 1, refuse: 2 },
        },
      }));
      const lines = ['EHLO client.example', 'MAIL FROM:<ann@nowhere.example>', 'RCPT TO:<bob@example.org>', 'QUIT'];
      const proxy = 'PROXY TCP4 192.0.2.7 127.0.0.1 4000 25';
      const replies = await sayAtOnce(test.port, [proxy, ...lines].map((line) => `${line}\r\n`).join(''));
      const answer = replies.find((line) => /^(?:250 2\.1\.5|[45])/.test(line));
      expect(answer).toMatch(strictness === 'score' ? /^250 2\.1\.5/ : /^450 4\./);
    },
  );

  it('SEC-2505-2 never refuses for good while a table cannot be read', async () => {
    await using test = await startTestAgent((folder) => {
      writeFileSync(join(folder, 'members'), 'a@x.example\n');
      const lists = { team: { file: join(folder, 'members'), postedBy: 'members' as const } };
      return { domains: { 'example.org': { deliver: `maildir:${folder}/mail/{local}`, mailboxes: ['alice'], lists } } };
    });
    unlinkSync(join(test.folder, 'members'));
    mkdirSync(join(test.folder, 'members'));
    const [, refused] = await codesOf(test.port, 'MAIL FROM:<a@x.example>', 'RCPT TO:<team@example.org>', 'QUIT');
    expect(refused).toBe('451');
  });
});

/** All that is answered to what a client sends in one go. */
async function sayAtOnce(port: number, text: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let said = '';
    socket.setEncoding('latin1').on('data', (piece: string) => {
      said += piece;
    });
    socket.on('error', reject).on('close', () => resolve(said.split('\r\n')));
    socket.write(text);
  });
}
