import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composeScreenText } from '../../src/agents/screen-text.ts';
import { contentInHand } from '../../src/spool/content.ts';

function compose(message: string | Buffer, most = 10_000) {
  const content = contentInHand(Buffer.from(message as string));
  return composeScreenText({ reversePath: 'a@x.test' }, { content, address: 'b@y.test', most });
}

async function show(message: string | Buffer, most?: number): Promise<string> {
  return (await compose(message, most)).text;
}

describe('a message on a terminal', () => {
  it('CMD-SEND-2 says who it is from and for, what it is about, and its text', async () => {
    expect(await show('Received: x\r\nSubject: Lunch\r\n\r\nAt noon?\r\nHere.\r\n')).toBe(
      ['', 'Message from <a@x.test> to <b@y.test>', 'Subject: Lunch', '', 'At noon?', 'Here.', ''].join('\r\n'),
    );
  });

  it('takes the encoding off, and shows the first text of several parts', async () => {
    const part = (type: string, text: string) =>
      `--q\r\nContent-Type: ${type}\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(text).toString('base64')}\r\n`;
    const mixed = `Content-Type: multipart/mixed; boundary="q"\r\n\r\npreamble\r\n${part('text/plain; charset=utf-8', 'Grüße')}${part('text/html', '<b>no</b>')}--q--\r\n`;
    expect(await show(mixed)).toContain('\r\nGrüße\r\n');
    expect(await show(mixed)).not.toMatch(/preamble|html|no/);
    expect(await show('Content-Type: image/png\r\n\r\nxyz')).toContain('[image/png]');
    expect(await show(Buffer.from('Content-Type: text/plain; charset=iso-8859-1\r\n\r\n\xe9', 'latin1'))).toContain(
      'é',
    );
  });

  it.each([
    ['whole', 'Subject: x\r\n\r\nAt noon?\tYes\r\n'],
    ['whole', 'Content-Type: text/plain; charset=iso-8859-1\r\n\r\nx'],
    [
      'whole',
      'Content-Type: multipart/alternative; boundary=q\r\n\r\n--q\r\n\r\nx\r\n--q\r\nContent-Type: text/html\r\n\r\n<p>x\r\n--q--\r\n',
    ],
    ['whole', 'Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\n\r\nx\r\n--q--\r\nepilogue'],
    [
      'part',
      'Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\nContent-Type: image/png\r\n\r\nx\r\n--q\r\n\r\nlook\r\n--q--\r\n',
    ],
    ['part', 'Content-Type: text/html\r\n\r\n<p>x'],
    ['part', 'Content-Type: text/plain; charset=koi8-r\r\n\r\nx'],
    ['part', 'Subject: x\r\n\r\nring \x07'],
    ['part', `Subject: x\r\n\r\n${'y'.repeat(10_000)}`],
    ['nothing', 'Content-Type: image/png\r\n\r\nx'],
    [
      'nothing',
      'Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\nContent-Type: image/png\r\n\r\nx\r\n--q--\r\n',
    ],
    ['nothing', 'Content-Type: multipart/mixed\r\n\r\nx'],
  ])('is shown as %s: %j', async (extent, message) => {
    expect(await compose(message)).toMatchObject({ extent });
  });

  it('is cut where it gets too long, and says so', async () => {
    const text = await show(`Subject: x\r\n\r\n${'y'.repeat(500)}`, 100);
    expect(text).toContain('[414 octets more]');
    expect(text.length).toBeLessThan(300);
  });

  it('CMD-SEND-2 cannot steer the terminal, whatever is in it', async () => {
    const octets = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    const hostile = fc
      .array(
        fc.constantFrom(
          '\x1b[2J',
          '\x9b',
          '\x07',
          '\b',
          '\r',
          '\u202e',
          '\u2028',
          'Subject: \x1b]0;x\x07\r\n',
          '\r\n\r\n',
          'text',
        ),
        { maxLength: 20 },
      )
      .map((parts) => Buffer.from(parts.join('')));
    await fc.assert(
      fc.asyncProperty(fc.oneof(octets, hostile), async (message) => {
        const lines = (await show(message)).split('\r\n');
        for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
      }),
    );
  });
});
