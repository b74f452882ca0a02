import { isAscii } from 'node:buffer';
import { type Conversion, type ConversionOptions, convertContent } from '@posthorn/smtp/message/convert-content';
import { decodeBody } from '@posthorn/smtp/message/decode-body';
import { MimeScanner } from '@posthorn/smtp/message/mime-scanner';
import { surveyOctets } from '@posthorn/smtp/message/octet-survey';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';

const to7bit: ConversionOptions = { target: '7BIT', body: '8BITMIME' };
const binaryTo7bit: ConversionOptions = { target: '7BIT', body: 'BINARYMIME' };
const binaryTo8bit: ConversionOptions = { target: '8BITMIME', body: 'BINARYMIME' };

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

const convert = (message: Buffer | string, options = to7bit): Promise<Conversion> => {
  const bytes = Buffer.from(message as string);
  return convertContent({ bytes, stream: () => cut(bytes, bytes.length) }, options);
};

async function converted(message: Buffer | string, options = to7bit): Promise<string> {
  const conversion = await convert(message, options);
  if (conversion.kind !== 'converted') throw new Error(`is ${JSON.stringify(conversion)}`);
  return (await collect(conversion.stream())).toString('latin1');
}

/** Type and meaning of each leaf. */
function leavesOf(message: Buffer): { type: string; octets: string }[] {
  const leaves: { type: string; encoding: string; pieces: Buffer[] }[] = [];
  const scanner = new MimeScanner({
    part: ({ mediaType, encoding, kind }) => {
      leaves.push({ type: mediaType, encoding: kind === 'leaf' ? encoding : 'none', pieces: [] });
    },
    body: (octets) => leaves.at(-1)?.pieces.push(Buffer.from(octets)),
    delimiter: () => {},
    filler: () => {},
  });
  scanner.write(message);
  scanner.end();
  return leaves.map(({ type, encoding, pieces }) => ({
    type,
    octets: decodeBody(Buffer.concat(pieces), encoding).toString('latin1'),
  }));
}

const lines = (...all: string[]) => all.join('\r\n');

describe('convertContent', () => {
  it('EXT-8BIT-2 leaves alone what fits', async () => {
    const plain = lines('Subject: x', 'Content-Transfer-Encoding: 8bit', '', 'text', '');
    expect(await convert(plain)).toEqual({ kind: 'unchanged' });
    expect(
      await convert(lines('Subject: x', '', 'gr\u00fc\u00dfe', ''), { target: '8BITMIME', body: '8BITMIME' }),
    ).toEqual({ kind: 'unchanged' });
    expect(await convert('')).toEqual({ kind: 'unchanged' });
  });

  it('EXT-8BIT-2 TRC-7 encodes text as quoted-printable and changes nothing but its label', async () => {
    const message = lines(
      'Received: by x',
      'MIME-Version: 1.0',
      'Content-Type: text/plain;\tcharset=utf-8',
      'Content-transfer-encoding: 8bit',
      'X-Odd : y',
      '',
      'grüße = ',
      '',
      'plain',
      '',
    );
    expect(await converted(message)).toBe(
      lines(
        'Received: by x',
        'MIME-Version: 1.0',
        'Content-Type: text/plain;\tcharset=utf-8',
        'Content-Transfer-Encoding: quoted-printable',
        'X-Odd : y',
        '',
        'gr=C3=BC=C3=9Fe =3D=20',
        '',
        'plain',
        '',
      ),
    );
  });

  it('EXT-8BIT-2 corrects the labels on every level', async () => {
    const message = lines(
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=a',
      'Content-Transfer-Encoding: 8bit',
      '',
      'Präambel',
      '--a',
      'Content-Type: message/rfc822',
      'Content-Transfer-Encoding: 8bit',
      '',
      'Subject: inner',
      'MIME-Version: 1.0',
      'Content-Type: multipart/alternative; boundary=b',
      'Content-Transfer-Encoding: 8bit',
      '',
      '--b',
      'Content-Transfer-Encoding: 8bit',
      'Content-Type: text/plain; charset=utf-8',
      '',
      'ä',
      '--b',
      'Content-Transfer-Encoding: 8bit',
      'Content-Type: text/html',
      '',
      'plain',
      '--b--',
      '--a',
      'Content-Type: image/x-raw',
      'Content-Transfer-Encoding: 8bit',
      '',
      'ö',
      '--a',
      'Content-Type: image/png',
      'Content-Transfer-Encoding: base64',
      '',
      'AAAA',
      '--a--',
      '',
    );
    expect(await converted(message)).toBe(
      lines(
        'MIME-Version: 1.0',
        'Content-Type: multipart/mixed; boundary=a',
        'Content-Transfer-Encoding: 7bit',
        '',
        '',
        '--a',
        'Content-Type: message/rfc822',
        'Content-Transfer-Encoding: 7bit',
        '',
        'Subject: inner',
        'MIME-Version: 1.0',
        'Content-Type: multipart/alternative; boundary=b',
        'Content-Transfer-Encoding: 7bit',
        '',
        '--b',
        'Content-Transfer-Encoding: quoted-printable',
        'Content-Type: text/plain; charset=utf-8',
        '',
        '=C3=A4',
        '--b',
        'Content-Transfer-Encoding: 7bit',
        'Content-Type: text/html',
        '',
        'plain',
        '--b--',
        '--a',
        'Content-Type: image/x-raw',
        'Content-Transfer-Encoding: base64',
        '',
        'w7Y=',
        '',
        '--a',
        'Content-Type: image/png',
        'Content-Transfer-Encoding: base64',
        '',
        'AAAA',
        '--a--',
        '',
      ),
    );
  });

  it('EXT-8BIT-2 makes MIME of mail that was none', async () => {
    expect(await converted(lines('Subject: x', '', 'é', ''))).toBe(
      lines(
        'Subject: x',
        'MIME-Version: 1.0',
        'Content-Type: text/plain; charset=unknown-8bit',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        '=C3=A9',
        '',
      ),
    );
  });

  it('EXT-CHUNK encodes binary parts for a host with 8BITMIME, and leaves 8-bit text as it is', async () => {
    const message = lines(
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=a',
      'Content-Transfer-Encoding: binary',
      '',
      '--a',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: binary',
      '',
      'ä',
      '--a',
      'Content-Type: application/x',
      'Content-Transfer-Encoding: binary',
      '',
      '\0\n\r',
      '--a--',
      '',
    );
    const text = await converted(message, binaryTo8bit);
    expect(text).toContain('boundary=a\r\nContent-Transfer-Encoding: 8bit\r\n');
    expect(text).toContain('Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4\r\n--a');
    expect(text).toContain('Content-Transfer-Encoding: base64\r\n\r\nAAoN\r\n');
    expect(isAscii(Buffer.from(await converted(message, binaryTo7bit), 'latin1'))).toBe(true);
  });

  it('EXT-CHUNK-2 does not mend what is labelled binary without having been declared so', async () => {
    const message = lines('Content-Transfer-Encoding: binary', 'MIME-Version: 1.0', '', 'text');
    expect(await convert(message)).toEqual({ kind: 'impossible', obstacle: 'labelled-binary', status: '5.6.3' });
    expect(await convert(message, binaryTo7bit)).toEqual({ kind: 'unchanged' });
  });

  it('CLI-DATA-4 takes long lines apart by MIME, and says 5.6.0 where that cannot be', async () => {
    const long = 'x'.repeat(999);
    const text = await converted(lines('MIME-Version: 1.0', 'Content-Type: text/plain', '', long, ''), {
      target: '8BITMIME',
      body: '7BIT',
    });
    expect(text).toContain('Content-Transfer-Encoding: quoted-printable\r\n\r\nxxx');
    expect(leavesOf(Buffer.from(text))[0]?.octets).toBe(`${long}\r\n`);
    const fits = lines('', 'x'.repeat(998), '');
    expect(await convert(fits)).toEqual({ kind: 'unchanged' });
    const base64 = lines('Content-Transfer-Encoding: base64', '', 'QUJD'.repeat(1000), '');
    expect(await converted(base64)).toBe(
      lines('Content-Transfer-Encoding: base64', '', ...('QUJD'.repeat(1000).match(/.{1,76}/g) as string[]), ''),
    );
    const quoted = lines('Content-Transfer-Encoding: quoted-printable', '', long, '');
    expect(await convert(quoted)).toEqual({ kind: 'impossible', obstacle: 'encoded', status: '5.6.0' });
    expect(await convert(lines(`Subject: ${long}`, '', ''))).toEqual({
      kind: 'impossible',
      obstacle: 'header',
      status: '5.6.0',
    });
  });

  it('CLI-DATA-4 folds a long line of the header at the blanks it has', async () => {
    const to = `To: ${'someone@example.org, '.repeat(100)}end@example.org`;
    const text = await converted(lines(to, '', 'body', ''));
    expect(text.replace(/\r\n(?= )/g, '')).toBe(lines(to, '', 'body', ''));
    for (const line of text.split('\r\n')) expect(line.length).toBeLessThanOrEqual(998);
  });

  it.each([
    [
      'sealed',
      lines(
        'Content-Type: multipart/signed; boundary=a',
        '',
        '--a',
        '',
        'ä',
        '--a',
        'Content-Type: application/pgp-signature',
        '',
        'x',
        '--a--',
      ),
    ],
    [
      'sealed',
      lines(
        'Content-Type: multipart/mixed; boundary=o',
        '',
        '--o',
        'Content-Type: multipart/encrypted; boundary=a',
        '',
        '--a',
        '',
        'ä',
        '--a--',
        '--o--',
      ),
    ],
    ['sealed', lines('Content-Type: multipart/signed; boundary=a', '', 'prä', '--a', '', 'x', '--a--')],
    ['sealed', lines('Content-Type: application/pkcs7-mime', '', 'ä')],
    ['header', lines('Subject: ä', '', 'x')],
    [
      'header',
      lines(
        'Content-Type: multipart/mixed; boundary=a',
        '',
        '--a',
        'Content-Disposition: attachment; filename=ä',
        '',
        'x',
        '--a--',
      ),
    ],
    ['encoded', lines('Content-Transfer-Encoding: quoted-printable', '', 'ä')],
    ['encoded', lines('Content-Transfer-Encoding: base64', '', 'ä')],
    ['encoded', lines('Content-Transfer-Encoding: x-uuencode', '', 'ä')],
    ['structure', lines('Content-Type: message/partial; id=1', '', 'ä')],
    ['structure', lines('Content-Type: multipart/mixed', '', 'ä')],
    ['structure', `${'Content-Type: message/rfc822\r\n\r\n'.repeat(150)}ä`],
  ] as const)('EXT-8BIT-2 EXT-CHUNK never touches what is sealed nor encodes twice: %s', async (obstacle, message) => {
    const status = { sealed: '5.6.2', header: '5.6.3', encoded: '5.6.5', structure: '5.6.5' }[obstacle];
    expect(await convert(message)).toEqual({ kind: 'impossible', obstacle, status });
  });

  it('EXT-8BIT-2 converts beside a signed part that is 7-bit, and keeps each octet of that', async () => {
    const signed = lines(
      'Content-Type: multipart/signed; boundary=s',
      '',
      '--s',
      'Content-Transfer-Encoding: 8bit',
      '',
      'signed text  ',
      '--s',
      'Content-Type: application/pgp-signature',
      '',
      'x',
      '--s--',
    );
    const message = lines(
      'Content-Type: multipart/mixed; boundary=a',
      '',
      '--a',
      signed,
      '--a',
      '',
      'footer ä',
      '--a--',
      '',
    );
    const text = await converted(message);
    expect(text).toContain(`--a\r\n${signed}\r\n--a`);
    expect(text).toContain('footer =C3=A4');
  });

  it('EXT-8BIT-2 encodes a message/global part whole', async () => {
    const message = lines(
      'Content-Type: multipart/mixed; boundary=a',
      '',
      '--a',
      'Content-Type: message/global',
      '',
      'Subject: ä',
      '',
      'x',
      '--a--',
      '',
    );
    expect(leavesOf(Buffer.from(await converted(message), 'latin1')).at(-1)).toEqual({
      type: 'message/global',
      octets: Buffer.from(lines('Subject: ä', '', 'x')).toString('latin1'),
    });
  });

  it('EXT-CHUNK ends a converted text without adding a line to it', async () => {
    expect(await converted(lines('Content-Type: text/plain', '', 'no end ä'))).toMatch(/no end =C3=A4=\r\n$/);
  });

  const leaf = fc.record({
    type: fc.constantFrom('text/plain', 'text/html; charset=x', 'image/png', 'application/octet-stream'),
    label: fc.constantFrom(undefined, '7bit', '8bit', 'binary'),
    octets: fc.array(
      fc.constantFrom('a', 'ä', ' ', '\r\n', '\r\n', '=', '\r', '\n', '\0', 'x'.repeat(500), '--', '.'),
      { maxLength: 12 },
    ),
  });
  interface Branch {
    readonly container: string;
    readonly label: string | undefined;
    readonly parts: (Branch | { type: string; label: string | undefined; octets: string[] })[];
  }
  const { tree } = fc.letrec<{ tree: Branch | { type: string; label: string | undefined; octets: string[] } }>(
    (tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', maxDepth: 3 },
        leaf,
        fc.record({
          container: fc.constantFrom('mixed', 'alternative', 'digest', 'message'),
          label: fc.constantFrom(undefined, '8bit', 'binary'),
          parts: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
        }) as fc.Arbitrary<Branch>,
      ),
    }),
  );

  function build(node: Branch | { type: string; label: string | undefined; octets: string[] }, id: string): string {
    const label = node.label === undefined ? '' : `Content-Transfer-Encoding: ${node.label}\r\n`;
    if ('octets' in node) return `Content-Type: ${node.type}\r\n${label}\r\n${node.octets.join('')}`;
    if (node.container === 'message') {
      return `Content-Type: message/rfc822\r\n${label}\r\nSubject: inner\r\n${build(node.parts[0] as Branch, `${id}0`)}`;
    }
    const parts = node.parts.map((part, index) => `--=${id}\r\n${build(part, `${id}${index}`)}\r\n`);
    return `Content-Type: multipart/${node.container}; boundary="=${id}"\r\n${label}\r\n${parts.join('')}--=${id}--`;
  }

  it('EXT-8BIT-2 EXT-CHUNK CLI-DATA-4 makes any message fit and loses no octet of what it means', async () => {
    await fc.assert(
      fc.asyncProperty(
        tree,
        fc.constantFrom(binaryTo7bit, binaryTo8bit),
        fc.integer({ min: 1, max: 200 }),
        async (node, options, size) => {
          const message = Buffer.from(`From: a@b\r\nMIME-Version: 1.0\r\n${build(node, 'b')}\r\n`);
          const conversion = await convertContent({ stream: () => cut(message, size) }, options);
          expect(conversion.kind).not.toBe('impossible');
          if (conversion.kind !== 'converted') return;
          const result = await collect(conversion.stream());
          const survey = surveyOctets(result);
          expect(survey.binary).toBe(false);
          if (options.target === '7BIT') expect(survey.eightBit).toBe(false);
          expect(leavesOf(result)).toEqual(leavesOf(message));
          expect(result.toString('latin1')).toBe(await converted(message, options));
          expect(await convert(result, options)).toEqual({ kind: 'unchanged' });
          const labels = result.toString('latin1').match(/^Content-Transfer-Encoding: .*$/gm) ?? [];
          if (options.target === '7BIT') expect(labels.join()).not.toMatch(/8bit|binary/);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('EXT-8BIT-2 reads to another program as the message it was', async () => {
    const message = Buffer.from(
      lines(
        'From: a@b.example',
        'MIME-Version: 1.0',
        'Content-Type: multipart/mixed; boundary=a',
        '',
        '--a',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 8bit',
        '',
        'Grüße aus 日本',
        '--a',
        'Content-Type: application/octet-stream; name=x.bin',
        'Content-Disposition: attachment; filename=x.bin',
        'Content-Transfer-Encoding: 8bit',
        '',
        'öäü',
        '--a--',
        '',
      ),
    );
    const [before, after] = await Promise.all([PostalMime.parse(message), PostalMime.parse(await converted(message))]);
    expect(after.text).toBe(before.text);
    expect(Buffer.from(after.attachments[0]?.content as ArrayBuffer).toString()).toBe('öäü');
  });

  it('keeps memory flat over a message of 16 MB', async () => {
    const line = Buffer.from(`${'ä'.repeat(30)}\r\n`.repeat(4096));
    async function* stream(): AsyncGenerator<Buffer> {
      yield Buffer.from('MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n');
      for (let sent = 0; sent < 16 * 1024 * 1024; sent += line.length) yield line;
    }
    const conversion = await convertContent({ stream }, to7bit);
    if (conversion.kind !== 'converted') throw new Error(conversion.kind);
    let octets = 0;
    let largest = 0;
    for await (const piece of conversion.stream()) {
      octets += piece.length;
      largest = Math.max(largest, piece.length);
    }
    expect(octets).toBeGreaterThan(2 * 16 * 1024 * 1024);
    expect(largest).toBeLessThan(4 * line.length);
  });
});
