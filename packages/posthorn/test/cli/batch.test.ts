import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reply } from '@posthorn/smtp/reply/reply';
import { createServer } from '@posthorn/smtp/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCommand } from '../../src/cli/run-command.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();

async function batch(words: readonly string[], input = '') {
  const terminal = fakeTerminal({ folder: folder(), input });
  const code = await runCommand(['batch', ...words], terminal);
  return { code, output: terminal.output(), said: terminal.said() };
}

function put(name: string, text: string): string {
  const path = join(folder(), name);
  writeFileSync(path, text, 'latin1');
  return path;
}

const one = 'From: Ann <ann@example.org>\nTo: bob@example.net\nSubject: one\n\n.hidden\n';
const two = 'From: carl@example.org\nTo: dora@example.net, eve@example.net\nSubject: two\n\nShort.\n';

/** A host that keeps what it takes, and answers RCPT as it is told. */
async function startHost(answer: (localPart: string) => ReturnType<typeof reply> | undefined) {
  const taken: string[] = [];
  const server = createServer({
    hostname: 'mx.example.net',
    handlers: {
      recipient: (_session, { mailbox }) => answer(mailbox.localPart),
      async message(_session, transaction, text) {
        let whole = '';
        for await (const piece of text) whole += piece.toString('latin1');
        taken.push(
          `${transaction.recipients.map(({ mailbox }) => mailbox.localPart).join()}: ${/Subject: (.*)\r/.exec(whole)?.[1]}`,
        );
        return reply(250, '2.0.0', 'Ok');
      },
    },
  });
  onTestFinished(() => server.close({ grace: 0 }));
  const address = await server.listen({ role: 'mx', host: '127.0.0.1', port: 0 });
  return { taken, address: 'port' in address ? `127.0.0.1:${address.port}` : '' };
}

describe('posthorn batch', () => {
  it('EXT-BSMTP-6 writes plain files and reads them, with LF line ends too', async () => {
    const { code, output } = await batch(['write', put('one.eml', one), put('two.eml', two), '--name', 'x.test']);
    expect(code).toBe(0);
    expect(output).toBe(
      [
        'EHLO x.test',
        'MAIL FROM:<ann@example.org> SIZE=75',
        'RCPT TO:<bob@example.net>',
        'DATA',
        ...one.trimEnd().replace('\n.hidden', '\n..hidden').split('\n'),
        '.',
        'MAIL FROM:<carl@example.org> SIZE=87',
        'RCPT TO:<dora@example.net>',
        'RCPT TO:<eve@example.net>',
        'DATA',
        ...two.trimEnd().split('\n'),
        '.',
        'QUIT',
        '',
      ].join('\r\n'),
    );
    const listed =
      '75 octets from ann@example.org for bob@example.net\n87 octets from carl@example.org for dora@example.net, eve@example.net\n';
    expect(await batch(['read', put('all.bsmtp', output)])).toEqual({ code: 0, output: listed, said: '' });
    expect((await batch(['read', '-'], output.replaceAll('\r\n', '\n'))).output).toBe(listed);
  });

  it('EXT-BSMTP-6 writes to whom Bcc says, and nobody reads it', async () => {
    const hidden = one.replace('\nSubject', '\nBcc: zoe@example.net,\n yan@example.net\nSubject');
    const { output } = await batch(['write', put('hidden.eml', hidden)]);
    expect(output.match(/(?<=RCPT TO:<)\w+/g)).toEqual(['bob', 'zoe', 'yan']);
    expect(output).toContain('To: bob@example.net\r\nSubject: one\r\n\r\n..hidden\r\n');
  });

  it('EXT-BSMTP-6 takes the files that stand behind recipients for files', async () => {
    const to = ['--to', 'zoe@example.net', '--to', 'yan@example.net', '--extension', 'DELIVERBY'];
    const { code, output } = await batch(['write', ...to, put('one.eml', one), put('two.eml', two)]);
    expect(code).toBe(0);
    expect(output.match(/(?<=RCPT TO:<)\w+/g)).toEqual(['zoe', 'yan', 'zoe', 'yan']);
  });

  it('says what may help when the host cannot be reached', async () => {
    const { output } = await batch(['write', put('one.eml', one)]);
    expect(await batch(['read', '-', '--server', join(folder(), 'nobody')], output)).toMatchObject({
      code: 75,
      said: expect.stringContaining('try again later'),
    });
  });

  it('EXT-BSMTP-6 EXT-BSMTP-5 writes and reads MIME objects, in base64 where they hold eight bits', async () => {
    const file = put('eight.eml', one.replace('hidden', 'gr\xfc\xdfe'));
    const { output } = await batch(['write', file, '--mime', '--extension', 'SMTPUTF8']);
    expect(output).toContain('required-extensions="8bitMIME,SIZE,NOTARY,SMTPUTF8"\r\n');
    expect(output).toContain('Content-Transfer-Encoding: base64\r\n');
    const read = await batch(['read', put('object.eml', output), '--json']);
    expect(JSON.parse(read.output)).toMatchObject({ from: 'ann@example.org', mail: { body: '8BITMIME' }, octets: 74 });
    const odd = output.replace('SMTPUTF8', 'X-ODD');
    expect(await batch(['read', '-'], odd)).toMatchObject({ code: 1, said: expect.stringContaining('X-ODD') });
  });

  it('EXT-BSMTP-2 sends nothing of what cannot be read as a whole', async () => {
    const { taken, address } = await startHost(() => undefined);
    const { output } = await batch(['write', put('one.eml', one), put('two.eml', two)]);
    const broken = output.replace('<carl@example.org>', '<carl@>');
    expect(await batch(['read', '-', '--server', address], broken)).toMatchObject({
      code: 1,
      said: expect.stringContaining('501'),
    });
    expect(await batch(['read', '-'], 'Subject: no batch\n\nx\n')).toMatchObject({ code: 1 });
    expect(taken).toEqual([]);
  });

  it('EXT-BSMTP-4 sends each message once to each recipient, and goes on where it was broken off', async () => {
    let later = true;
    const { taken, address } = await startHost((name) =>
      name === 'eve' && later ? reply(450, '4.2.1', 'come again') : undefined,
    );
    const { output } = await batch([
      'write',
      put('one.eml', one),
      put('two.eml', two),
      put('three.eml', one.replace('one', 'three')),
    ]);
    const file = put('all.bsmtp', output);
    expect(await batch(['read', file, '--server', address])).toMatchObject({ code: 75 });
    expect(taken).toEqual(['bob: one', 'dora: two']);
    expect(JSON.parse(readFileSync(`${file}.done`, 'utf8'))).toMatchObject({
      messages: 1,
      recipients: ['dora@example.net'],
    });
    later = false;
    expect(await batch(['read', file, '--server', address])).toMatchObject({ code: 0 });
    expect(taken).toEqual(['bob: one', 'dora: two', 'eve: two', 'bob: three']);
    expect(existsSync(`${file}.done`)).toBe(false);
  });

  it('EXT-BSMTP-3 sends to the others when one recipient is refused', async () => {
    const { taken, address } = await startHost((name) => (name === 'dora' ? reply(550, '5.1.1', 'no') : undefined));
    const { output } = await batch(['write', put('two.eml', two)]);
    const result = await batch(['read', '-', '--server', address], output);
    expect(result).toMatchObject({ code: 1, output: expect.stringContaining('refused dora@example.net: 550 no') });
    expect(taken).toEqual(['eve: two']);
  });
});
