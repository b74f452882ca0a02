import { readBatchLabel, readBatchObject, wrapBatch } from '@posthorn/smtp/batch/batch-object';
import { type BatchEvent, BatchReader } from '@posthorn/smtp/batch/batch-reader';
import { type EnclosedMessage, writeBatch } from '@posthorn/smtp/batch/write-batch';
import type { Notify } from '@posthorn/smtp/command/parameters';
import { splitMessage } from '@posthorn/smtp/message/header';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mailbox } from '../arbitraries.ts';

const limits = { messageSize: 100_000, recipients: 100, messages: 100 };

interface Read {
  readonly from: string;
  readonly to: readonly string[];
  readonly mail: object;
  text: string;
}

/** Reads a batch that comes in pieces of some size; the messages, and the reply to its fault. */
function read(
  batch: string | Buffer,
  { size = Number.POSITIVE_INFINITY, ...change }: Partial<typeof limits> & { size?: number } = {},
) {
  const octets = Buffer.from(batch as string, 'latin1');
  const reader = new BatchReader({ ...limits, ...change });
  const messages: Read[] = [];
  let fault: string | undefined;
  let ends = 0;
  const take = (event: BatchEvent | undefined) => {
    if (event?.kind === 'message') {
      const { reversePath, recipients, mail } = event.transaction;
      const to = recipients.map(({ mailbox: { localPart, domain } }) => `${localPart}@${domain}`);
      messages.push({ from: reversePath?.localPart ?? '', to, mail, text: '' });
    } else if (event?.kind === 'text') (messages.at(-1) as Read).text += event.bytes.toString('latin1');
    else if (event?.kind === 'end') ends += 1;
    else if (event?.kind === 'fault') fault = `${event.reply.code} ${event.reply.status}`;
  };
  for (let at = 0; at < octets.length; at += size) {
    reader.receive(octets.subarray(at, at + size));
    for (let event = reader.next(); event !== undefined; event = reader.next()) take(event);
  }
  take(reader.finish());
  return { messages: messages.slice(0, ends), fault, begun: messages.length };
}

const crlf = (...lines: readonly string[]) => lines.map((line) => `${line}\r\n`).join('');

const sample = crlf(
  'EHLO bridge.example.org',
  'MAIL FROM:<ann@example.org> SIZE=193 RET=HDRS ENVID=b1',
  'RCPT TO:<bob@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob@example.net',
  'RCPT TO:<nobody@example.net> NOTIFY=FAILURE',
  'DATA',
  'Subject: one',
  '',
  '..hidden',
  'grüße',
  '.',
  'RSET',
  'MAIL FROM:<carl@example.org>',
  'RCPT TO:<dora@example.net>',
  'DATA',
  '.',
  'QUIT',
);

async function whole(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

describe('a batch', () => {
  it('EXT-BSMTP-1 EXT-BSMTP-3 is what a client would have sent, wherever it is cut', () => {
    for (let size = 1; size < 40; size += 1) {
      expect(read(sample, { size })).toEqual({
        messages: [
          {
            from: 'ann',
            to: ['bob@example.net', 'nobody@example.net'],
            mail: { size: 193, ret: 'HDRS', envelopeId: 'b1' },
            text: 'Subject: one\r\n\r\n.hidden\r\ngrüße\r\n',
          },
          { from: 'carl', to: ['dora@example.net'], mail: {}, text: '' },
        ],
        fault: undefined,
        begun: 2,
      });
    }
  });

  it('EXT-BSMTP-3 may have a text without any recipient, HELO instead of EHLO, and no QUIT', () => {
    const batch = crlf('HELO x.test', 'MAIL FROM:<>', 'DATA', 'Hello', '.');
    expect(read(batch)).toMatchObject({ messages: [{ from: '', to: [], text: 'Hello\r\n' }], fault: undefined });
  });

  it.each([
    ['an unknown command', 'XYZZY', '500 5.5.1'],
    ['a bad address', 'MAIL FROM:<a@>', '501 5.1.7'],
    ['a parameter of an extension that was not agreed on', 'MAIL FROM:<a@x.test> BY=120;R', '555 5.5.4'],
    ['STARTTLS', 'STARTTLS', '502 5.5.1'],
    ['a text before its sender', 'DATA', '503 5.5.1'],
    ['BDAT of unknown size', 'BDAT x LAST', '501 5.5.4'],
  ])('EXT-BSMTP-1 EXT-BSMTP-2 has a fault in %s', (_, line, wanted) => {
    expect(read(crlf('EHLO x.test', line, 'QUIT')).fault).toBe(wanted);
  });

  it('EXT-BSMTP-1 obeys the limits of SMTP', () => {
    const message = ['MAIL FROM:<a@x.test>', 'RCPT TO:<b@y.test>', 'DATA', 'Hello, this is long', '.'];
    const batch = crlf('EHLO x.test', ...message, ...message);
    expect(read(batch, { messages: 1 })).toMatchObject({ fault: '452 4.5.3', messages: [{ from: 'a' }] });
    expect(read(batch, { messageSize: 10 })).toMatchObject({ fault: '552 5.3.4', messages: [] });
    expect(read(batch, { recipients: 0 }).fault).toBe('452 4.5.3');
    expect(read(crlf(`EHLO ${'x'.repeat(5000)}`)).fault).toBe('500 5.5.2');
    expect(read('EHLO x.test\nMAIL FROM:<a@x.test>\n').fault).toMatch(/^500 /);
    expect(read(crlf('EHLO x.test', ...message).replace(', ', '\n')).fault).toBe('550 5.5.2');
  });

  it('EXT-BSMTP-2 has a fault where it ends too early', () => {
    for (let end = 1; end < sample.length; end += 1) {
      const { messages, fault, begun } = read(sample.slice(0, end));
      const line = sample.slice(0, end).split('\r\n').at(-2);
      const isEnd = sample.slice(0, end).endsWith('\r\n') && /^(?:EHLO.*|\.|RSET|QUIT)$/.test(line ?? '');
      expect(fault, sample.slice(0, end)).toBe(isEnd ? undefined : '451 4.4.2');
      expect(begun - messages.length).toBeLessThanOrEqual(1);
    }
  });

  it('EXT-BSMTP-1 SEC-RES-1 never throws, and gives nothing behind a fault', () => {
    const line = fc.oneof(
      fc.constantFrom(...sample.split('\r\n')),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('BDAT 3 LAST', 'AUTH PLAIN', 'LHLO x', '\u0016\u0003\u0001'),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), fc.integer({ min: 1, max: 50 }), (lines, size) => {
        const batch = lines.join('\r\n');
        const { messages, fault } = read(batch, { size });
        expect(read(batch)).toMatchObject({ messages, fault });
      }),
    );
  });

  it('EXT-BSMTP-5 reads as what was written', async () => {
    const text = fc
      .array(fc.constantFrom('.', '..', '', 'a', '.a', 'Hello'), { maxLength: 5 })
      .map((lines) => crlf(...lines));
    const message = fc.record({
      reversePath: fc.oneof(fc.constant(null), mailbox()),
      recipients: fc.array(
        fc.record({ mailbox: mailbox(), parameters: fc.constantFrom({}, { notify: ['SUCCESS'] as Notify[] }) }),
        { minLength: 1, maxLength: 3 },
      ),
      text,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 3 }), async (messages) => {
        const enclosed: EnclosedMessage[] = messages.map(({ text: octets, ...transaction }) => ({
          transaction: { ...transaction, mail: { body: '8BITMIME' } },
          text: [Buffer.from(octets)],
        }));
        const batch = await whole(writeBatch({ name: 'x.test' }, enclosed));
        const found = read(batch.toString('latin1'));
        expect(found.fault).toBeUndefined();
        expect(found.messages.map(({ text: octets }) => octets)).toEqual(messages.map((each) => each.text));
        expect(found.messages.map(({ to }) => to.length)).toEqual(messages.map(({ recipients }) => recipients.length));
      }),
    );
  });

  it('EXT-BSMTP-5 uses no extension that was not agreed on', async () => {
    const transaction = {
      reversePath: { localPart: 'a', domain: 'x.test' },
      mail: { smtputf8: true, envelopeId: 'e' } as const,
      recipients: [{ mailbox: { localPart: 'b', domain: 'y.test' }, parameters: {} }],
    };
    const write = (extensions: string[]) =>
      whole(writeBatch({ name: 'x.test', extensions }, [{ transaction, text: [] }]));
    await expect(write([])).rejects.toMatchObject({ kind: 'invalid' });
    expect(String(await write(['smtputf8']))).toContain('MAIL FROM:<a@x.test> SMTPUTF8 ENVID=e\r\n');
    expect(String(wrapBatch(Buffer.from('QUIT\r\n'), ['smtputf8', 'dsn']))).toContain(
      'required-extensions="8bitMIME,SIZE,NOTARY,SMTPUTF8"',
    );
  });
});

describe('a batch object', () => {
  const label = (value: string) => readBatchLabel(Buffer.from(`Content-Type: ${value}\r\n`));

  it('EXT-BSMTP-2 has a label that tells which extensions it needs', () => {
    expect(label('text/plain')).toBeUndefined();
    expect(label('application/batch-SMTP')).toEqual({ encoding: '7bit', unknown: [] });
    const extensions = (list: string) => label(`Application/Batch-smtp;\r\n required-extensions=${list}`)?.unknown;
    expect(extensions('"8bitMIME,SIZE,NOTARY"')).toEqual([]);
    expect(extensions('"8bitmime, size,dsn,X-ODD,BINARYMIME"; x=y')).toEqual(['X-ODD']);
    expect(extensions('8bitMIME,X-ODD,NOTARY')).toEqual(['X-ODD']);
  });

  it.each(['7bit', 'base64', 'quoted-printable'])(
    'EXT-BSMTP-1 is decoded from %s, wherever it is cut',
    async (encoding) => {
      const batch = crlf('EHLO x.test', 'MAIL FROM:<a=b@x.test>', 'RCPT TO:<b@y.test>', 'DATA', 'Hello =', '.', 'QUIT');
      const written =
        encoding === 'base64'
          ? `${Buffer.from(batch).toString('base64').replace(/.{40}/g, '$&\r\n')}\r\n`
          : encoding === '7bit'
            ? batch
            : batch.replaceAll('=', '=3D').replaceAll('RCPT', 'RC=\r\nPT');
      const object = Buffer.from(
        crlf('Content-Type: application/batch-SMTP', `Content-Transfer-Encoding: ${encoding.toUpperCase()}`, '') +
          written,
      );
      const found = readBatchLabel(splitMessage(object).header);
      for (let size = 1; size < 60; size += 7) {
        const pieces = Array.from({ length: Math.ceil(object.length / size) }, (_, at) =>
          object.subarray(at * size, (at + 1) * size),
        );
        expect(String(await whole(readBatchObject(pieces, { encoding: found?.encoding ?? '' })))).toBe(batch);
      }
    },
  );

  it('EXT-BSMTP-1 carries any batch unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 100 }), async (octets, size) => {
        const object = wrapBatch(Buffer.from(octets));
        const pieces = Array.from({ length: Math.ceil(object.length / size) }, (_, at) =>
          object.subarray(at * size, (at + 1) * size),
        );
        const { encoding = '' } = readBatchLabel(splitMessage(object).header) ?? {};
        expect((await whole(readBatchObject(pieces, { encoding }))).equals(Buffer.from(octets))).toBe(true);
      }),
    );
  });
});
