import { reply } from '@posthorn/smtp/reply/reply';
import { createServer, type ServerHandlers, type ServerOptions } from '@posthorn/smtp/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startHost } from '../../../smtp/test/client/scripted-host.ts';
import { testCertificate } from '../../../smtp/test/laws/test-certificate.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { fakeTerminal } from './fake-terminal.ts';

/** A host for the mail of example.test, whose messages are counted. */
async function startServer(options: Partial<ServerOptions> = {}, handlers: Partial<ServerHandlers> = {}) {
  const seen = { messages: 0, recipients: [] as string[] };
  const server = createServer({
    hostname: 'mx.example.test',
    ...options,
    handlers: {
      recipient(_session, { mailbox }) {
        seen.recipients.push(mailbox.localPart);
        return mailbox.localPart.toLowerCase() === 'postmaster' ? undefined : reply(550, '5.1.1', 'Nobody');
      },
      async message() {
        seen.messages += 1;
        return reply(250, '2.0.0', 'Ok');
      },
      ...handlers,
    },
  });
  onTestFinished(() => server.close({ grace: 0 }));
  const address = await server.listen({ role: 'mx', host: '127.0.0.1', port: 0 });
  return { seen, address: 'port' in address ? `127.0.0.1:${address.port}` : '' };
}

async function probe(...words: string[]) {
  const terminal = fakeTerminal();
  const code = await runCommand(['probe', ...words], terminal);
  return { code, output: terminal.output(), said: terminal.said() };
}

describe('posthorn probe', () => {
  it('EXT-HIST repeats the survey of 1983, and mails nobody', async () => {
    const { seen, address } = await startServer({ tls: testCertificate });
    const { code, output } = await probe(address, '--domain', 'example.test', '--json');
    expect(code).toBe(0);
    const found = JSON.parse(output);
    expect(found).toMatchObject({
      greeting: { code: 220 },
      help: { code: 214 },
      tls: { protocol: 'TLSv1.3', verified: false, names: expect.stringContaining('mx.example.test') },
      offered: {
        clear: expect.arrayContaining(['STARTTLS', 'PIPELINING']),
        secure: expect.arrayContaining(['SIZE 52428800', 'LIMITS RCPTMAX=1000']),
      },
    });
    expect(found.findings.map(({ question, answer }: Record<string, string>) => `${question}: ${answer}`)).toEqual([
      'VRFY before MAIL is in order: yes',
      'NOOP earns 250: yes',
      'RSET earns 250: yes',
      'MAIL with the null sender is taken: yes',
      'RCPT for Postmaster is taken: yes',
      'RCPT for postmaster of example.test is taken: yes',
      'RCPT for an unknown user is refused: yes',
      'RSET within a transaction earns 250: yes',
    ]);
    expect(seen.recipients).toEqual(['Postmaster', 'postmaster', expect.stringMatching(/^nobody-[0-9a-f]{12}$/)]);
    expect(seen.messages).toBe(0);
  });

  it('EXT-HIST prints what is offered as a table', async () => {
    const { address } = await startServer();
    const { output } = await probe(address);
    expect(output).toMatch(/^Greeting\n +220 mx\.example\.test ESMTP ready *\n\nOffered\n/);
    expect(output).toMatch(/\n +SIZE +52428800 +clear text *\n/);
    expect(output).toMatch(/\nTLS\n +not offered *\n/);
    expect(output).toMatch(/\n +RCPT for an unknown user is refused +yes +550 5\.1\.1 Nobody *\n/);
  });

  it('EXT-HIST tells what a host does wrong, in whatever words', async () => {
    const answers: Record<string, string> = {
      NOOP: '200 fine',
      RSET: '200 fine',
      VRFY: '554 Nested MAIL command',
      HELP: '214 \u001b[2Jno',
      RCPT: '250 whoever',
    };
    const host = await startHost(async (session) => {
      session.send('220 old.example');
      for (let line = await session.line(); line !== undefined; line = await session.line()) {
        const verb = line.split(' ', 1)[0] as string;
        session.send(answers[verb] ?? '250 old.example');
      }
    });
    onTestFinished(() => host[Symbol.asyncDispose]());
    const { output } = await probe(`127.0.0.1:${host.port}`);
    expect(output).toMatch(/VRFY before MAIL is in order +no +554 Nested MAIL command/);
    expect(output).toMatch(/NOOP earns 250 +no +200 fine/);
    expect(output).toMatch(/RCPT for an unknown user is refused +no +250 whoever/);
    expect(output).toContain('214 ?[2Jno');
  });

  it('says why there is nothing to be seen', async () => {
    expect(await probe('127.0.0.1:1')).toMatchObject({
      code: 1,
      output: '',
      said: expect.stringContaining('127.0.0.1:1'),
    });
    expect(await probe('no host')).toMatchObject({ code: 2 });
  });
});
